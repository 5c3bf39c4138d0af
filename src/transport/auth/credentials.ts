import type { CredentialOrigin } from '../../domain/oci/credential-origin.ts';
import type { Credential } from './credential-entry.ts';
import {
  entryError,
  listCredentialFiles,
  readCredentialFile,
  type CredentialFile,
  type Environment,
} from './credential-files.ts';
import { findHelperProgram, getFromHelper, type HelperOptions } from './credential-helper.ts';
import { lookupKeys, normalizeKey, storageKey } from '../../domain/oci/credential-keys.ts';

/** Finds the credential for a registry and repository, or undefined for anonymous access. */
export type CredentialSource = (registry: string, repository: string) => Promise<Credential | undefined>;

export interface FoundCredential {
  readonly credential: Credential;
  readonly origin: CredentialOrigin;
}

/** As `CredentialSource`, with where it was found. An empty repository means the registry as a whole. */
export type CredentialResolver = (registry: string, repository: string) => Promise<FoundCredential | undefined>;

/** A user and password that the user gave for one registry. */
export interface GivenCredential {
  readonly registry: string;
  readonly username: string;
  readonly password: string;
}

export interface CredentialOptions {
  /** Names the files, and is what credential helpers get. */
  readonly environment: Environment;
  /** Wins over everything else, for its registry and for no other. */
  readonly given?: GivenCredential | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How long a credential helper may take. */
  readonly helperTimeoutMs?: number | undefined;
}

/** The program that keeps a credential, and the name it knows it by. */
interface HelperPlace {
  readonly helper: string;
  readonly server: string;
  /** A missing program is an error only where it is named for this very registry. */
  readonly isOptional: boolean;
}

/**
 * Looks for credentials in this order: `given`; `$REGISTRY_AUTH_FILE`; `$HELM_REGISTRY_CONFIG` or Helm's default place;
 * `$DOCKER_CONFIG/config.json` or `~/.docker/config.json`; `$XDG_RUNTIME_DIR/containers/auth.json`;
 * `~/.config/containers/auth.json`. In each file the longest matching repository path wins; for one path a helper of
 * `credHelpers` comes before `credsStore`, and that before the entry of `auths`. Files are read once and helpers asked
 * once per server, when first needed. An entry that is there but cannot be read is an error when its turn comes. Throws
 * DT_CONFIG_INVALID and DT_CREDENTIAL_HELPER_FAILED.
 */
export function createCredentialResolver(options: CredentialOptions): CredentialResolver {
  const { given, environment, signal } = options;
  const helperOptions = { environment, signal, timeoutMs: options.helperTimeoutMs };
  const askHelper = createHelperCache(helperOptions);
  const paths = listCredentialFiles(environment);
  const files = new Map<string, CredentialFile>();
  return async (registry, repository) => {
    if (given !== undefined && normalizeKey(given.registry) === normalizeKey(registry)) {
      const { username, password } = given;
      return { credential: { kind: 'basic', username, password }, origin: { kind: 'flags' } };
    }
    for (const path of paths) {
      const file = files.get(path) ?? readCredentialFile(path);
      files.set(path, file);
      const found = await findInFile(file, lookupKeys(registry, repository), askHelper);
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

/** The name of the helper that keeps the credential of a key, also of a path of a registry; undefined for the file itself. Throws DT_CONFIG_INVALID. */
export function findHelperName(file: CredentialFile, key: string): string | undefined {
  const name = normalizeKey(key);
  const own = file.credHelpers.get(name) ?? file.credHelpers.get(name.split('/', 1)[0] ?? '');
  if (own === undefined) return file.credsStore;
  if (own.helper === undefined) throw entryError(file.path, 'credHelpers', own.key);
  return own.helper === '' ? undefined : own.helper;
}

type AskHelper = (file: string, place: HelperPlace) => Promise<Credential | undefined>;

async function findInFile(
  file: CredentialFile,
  keys: readonly string[],
  askHelper: AskHelper,
): Promise<FoundCredential | undefined> {
  for (const key of keys) {
    const place = findHelperPlace(file, key);
    if (place !== undefined) {
      const credential = await askHelper(file.path, place);
      const { helper, server: entry } = place;
      if (credential !== undefined) return { credential, origin: { kind: 'file', file: file.path, entry, helper } };
    }
    const entry = file.auths.get(key);
    if (entry?.credential === 'unreadable') throw entryError(file.path, 'auths', entry.key);
    if (entry?.credential !== undefined) {
      return { credential: entry.credential, origin: { kind: 'file', file: file.path, entry: entry.key } };
    }
  }
  return undefined;
}

/** A path below a registry is asked for only if the file says that it is known: by a helper of its own or an empty entry. */
function findHelperPlace(file: CredentialFile, key: string): HelperPlace | undefined {
  const entry = file.auths.get(key);
  const isWholeRegistry = !key.includes('/');
  const isOwn = file.credHelpers.has(key);
  if (!isWholeRegistry && !isOwn && (entry === undefined || entry.credential !== undefined)) return undefined;
  const helper = findHelperName(file, key);
  if (helper === undefined) return undefined;
  const fallback = isWholeRegistry ? storageKey({ registry: key, path: '' }) : key;
  return { helper, server: entry?.key ?? fallback, isOptional: helper === file.credsStore && !isOwn };
}

/** Asks each helper once for each server. */
function createHelperCache(options: HelperOptions): AskHelper {
  const answers = new Map<string, Promise<Credential | undefined>>();
  const ask: AskHelper = async (file, { helper, server, isOptional }) => {
    const name = { name: helper, file };
    if (isOptional && (await findHelperProgram(name, options.environment)) === undefined) return undefined;
    return getFromHelper(name, server, options);
  };
  return async (file, place) => {
    const key = JSON.stringify([place.helper, place.server, place.isOptional]);
    const answer = answers.get(key) ?? ask(file, place);
    answers.set(key, answer);
    return answer;
  };
}

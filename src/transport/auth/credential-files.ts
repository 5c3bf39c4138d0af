import { homedir } from 'node:os';
import { join } from 'node:path';
import { DtError, systemErrorCode } from '../../domain/errors.ts';
import { normalizeKey, storageKey } from '../../domain/oci/credential-keys.ts';
import { MAX_CREDENTIAL_FILE_BYTES, readSmallFile } from '../read-small-file.ts';
import { parseAuthEntry, type AuthEntryContent } from './credential-entry.ts';

/** Variables of the process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A key of `auths`, with its credential unless a helper keeps that. What cannot be read is an error only where it counts. */
export interface AuthEntry {
  /** As the file spells it. */
  readonly key: string;
  readonly credential: AuthEntryContent;
}

/**
 * What a file in Docker's format says of credentials. Keys are normalised.
 * https://docs.docker.com/reference/cli/docker/login/#credential-stores and
 * https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md
 */
export interface CredentialFile {
  readonly path: string;
  readonly auths: ReadonlyMap<string, AuthEntry>;
  /** Helper names by key; an empty name means that the file itself keeps the credential. */
  readonly credHelpers: ReadonlyMap<string, AuthEntryHelper>;
  /** The helper for every registry without one of its own. */
  readonly credsStore: string | undefined;
}

interface AuthEntryHelper {
  readonly key: string;
  /** Undefined if it is no text. */
  readonly helper: string | undefined;
}

/** The files that credentials are looked for in, first one first. An empty variable counts as absent. */
export function listCredentialFiles(environment: Environment): string[] {
  const read = createReader(environment);
  const configHome = read('XDG_CONFIG_HOME') ?? join(findHome(environment), '.config');
  const runtimeFolder = read('XDG_RUNTIME_DIR');
  const candidates = [
    read('REGISTRY_AUTH_FILE'),
    read('HELM_REGISTRY_CONFIG') ??
      join(read('HELM_CONFIG_HOME') ?? join(configHome, 'helm'), 'registry', 'config.json'),
    dockerConfigPath(environment),
    runtimeFolder === undefined ? undefined : join(runtimeFolder, 'containers', 'auth.json'),
    join(configHome, 'containers', 'auth.json'),
  ];
  return [...new Set(candidates.filter((path) => path !== undefined))];
}

/** The file that a login goes to: `$REGISTRY_AUTH_FILE`, else Docker's, which Helm reads too. */
export function loginFilePath(environment: Environment): string {
  return createReader(environment)('REGISTRY_AUTH_FILE') ?? dockerConfigPath(environment);
}

/** Reads a credential file; one that is not there holds nothing. Throws DT_CONFIG_INVALID, which quotes nothing of the file. */
export function readCredentialFile(path: string): CredentialFile {
  let text: string;
  try {
    text = readSmallFile(path, MAX_CREDENTIAL_FILE_BYTES);
  } catch (error) {
    if (error instanceof DtError) throw error;
    if (!['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) {
      throw new DtError('DT_CONFIG_INVALID', `cannot read the credential file ${path}`, { cause: error });
    }
    text = '';
  }
  const document = parseCredentialDocument(text, path);
  const credsStore = document['credsStore'] ?? '';
  if (typeof credsStore !== 'string') throw sectionError('credsStore', path);
  return {
    path,
    auths: indexByKey(
      Object.entries(readSection(document, 'auths', path)).map(([key, value]) => ({
        key,
        credential: parseAuthEntry(value),
      })),
    ),
    credHelpers: indexByKey(
      Object.entries(readSection(document, 'credHelpers', path)).map(([key, helper]) => ({
        key,
        helper: typeof helper === 'string' ? helper : undefined,
      })),
    ),
    credsStore: credsStore === '' ? undefined : credsStore,
  };
}

/** The JSON object of a credential file; nothing at all counts as an empty one. Throws DT_CONFIG_INVALID. */
export function parseCredentialDocument(text: string, path: string): Record<string, unknown> {
  if (text.trim() === '') return {};
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    // The error of the parser quotes the text, which may hold a password.
    throw new DtError('DT_CONFIG_INVALID', `the credential file ${path} is not JSON`);
  }
  return toRecord(document, () => new DtError('DT_CONFIG_INVALID', `the credential file ${path} is not a JSON object`));
}

/** `auths` or `credHelpers` of the document of a file; empty if it is not there. Throws DT_CONFIG_INVALID. */
export function readSection(
  document: Readonly<Record<string, unknown>>,
  name: 'auths' | 'credHelpers',
  path: string,
): Record<string, unknown> {
  return toRecord(document[name], () => sectionError(name, path));
}

/** The error for an entry whose turn it is, but which says nothing that can be read. Its value is not told. */
export function entryError(path: string, section: 'auths' | 'credHelpers', key: string): DtError {
  return new DtError('DT_CONFIG_INVALID', `the entry "${key}" in ${section} of ${path} cannot be read`, {
    hints: section === 'auths' ? [`{bin} auth login ${key} writes it anew`] : [],
  });
}

function sectionError(name: string, path: string): DtError {
  return new DtError('DT_CONFIG_INVALID', `${name} in the credential file ${path} is of a wrong type`);
}

/** Nothing counts as empty, as in Go. */
function toRecord(value: unknown, createError: () => DtError): Record<string, unknown> {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw createError();
  return value as Record<string, unknown>;
}

/** Of several spellings of one key the one that Docker writes counts. */
function indexByKey<T extends { readonly key: string }>(entries: readonly T[]): Map<string, T> {
  const map = new Map<string, T>();
  for (const entry of entries) {
    const name = normalizeKey(entry.key);
    if (!map.has(name) || entry.key === storageKey({ registry: name, path: '' })) map.set(name, entry);
  }
  return map;
}

function dockerConfigPath(environment: Environment): string {
  return join(createReader(environment)('DOCKER_CONFIG') ?? join(findHome(environment), '.docker'), 'config.json');
}

function findHome(environment: Environment): string {
  return createReader(environment)('HOME') ?? homedir();
}

/** An empty variable counts as absent, or files of the working directory would be taken for credentials. */
function createReader(environment: Environment): (name: string) => string | undefined {
  return (name) => (environment[name] === '' ? undefined : environment[name]);
}

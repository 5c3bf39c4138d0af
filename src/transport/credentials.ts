import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { DtError, systemErrorCode } from '../domain/errors.ts';
import { DOCKER_HUB_REGISTRY, normalizeRegistry } from '../domain/oci/reference.ts';

/** What a registry is shown: a user with a password, or an identity token (an OAuth2 refresh token). */
export type Credential =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'identity-token'; readonly token: string };

/** Finds the credential for a registry and repository, or undefined for anonymous access. */
export type CredentialSource = (registry: string, repository: string) => Promise<Credential | undefined>;

type Environment = Readonly<Record<string, string | undefined>>;
type AuthEntries = ReadonlyMap<string, Credential>;

const DOCKER_HUB_KEYS = ['https://index.docker.io/v1', 'index.docker.io', 'docker.io', 'registry-1.docker.io'];

/**
 * Reads the files that Docker, Podman and Helm keep credentials in, in this order: `$REGISTRY_AUTH_FILE`,
 * `$HELM_REGISTRY_CONFIG` (Helm's default place without it), `$DOCKER_CONFIG/config.json` or `~/.docker/config.json`.
 * In each file the longest matching repository path wins. Files are read once, when first needed; one that is not
 * JSON is DT_CONFIG_INVALID.
 */
export function createCredentialSource(environment: Environment): CredentialSource {
  let files: Promise<readonly AuthEntries[]> | undefined;
  return async (registry, repository) => {
    files ??= Promise.all(credentialFiles(environment).map(readAuthEntries));
    for (const entries of await files) {
      for (const key of lookupKeys(registry, repository)) {
        const credential = entries.get(key);
        if (credential !== undefined) return credential;
      }
    }
    return undefined;
  };
}

/** An empty variable counts as absent, or files of the working directory would be taken for credentials. */
function credentialFiles(environment: Environment): string[] {
  const read = (name: string): string | undefined => (environment[name] === '' ? undefined : environment[name]);
  const home = read('HOME') ?? homedir();
  const helmConfig = read('HELM_CONFIG_HOME') ?? join(read('XDG_CONFIG_HOME') ?? join(home, '.config'), 'helm');
  const candidates = [
    read('REGISTRY_AUTH_FILE'),
    read('HELM_REGISTRY_CONFIG') ?? join(helmConfig, 'registry', 'config.json'),
    join(read('DOCKER_CONFIG') ?? join(home, '.docker'), 'config.json'),
  ];
  return candidates.filter((path) => path !== undefined);
}

/** The keys under which a file may hold a registry, longest path first. */
function lookupKeys(registry: string, repository: string): string[] {
  const parts = repository.split('/');
  const hosts = normalizeRegistry(registry) === DOCKER_HUB_REGISTRY ? DOCKER_HUB_KEYS : [registry];
  const keys: string[] = [];
  for (let count = parts.length; count > 0; count--) {
    keys.push(...hosts.map((host) => `${host}/${parts.slice(0, count).join('/')}`));
  }
  return [...keys, ...hosts];
}

async function readAuthEntries(path: string): Promise<AuthEntries> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') return new Map();
    throw new DtError('DT_CONFIG_INVALID', `cannot read the credential file ${path}`, { cause: error });
  }
  const entries = new Map<string, Credential>();
  for (const [key, value] of Object.entries(parseAuths(text, path))) {
    const credential = parseCredential(value);
    if (credential !== undefined) entries.set(normalizeKey(key), credential);
  }
  return entries;
}

function parseAuths(text: string, path: string): Record<string, unknown> {
  if (text.trim() === '') return {};
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new DtError('DT_CONFIG_INVALID', `the credential file ${path} is not JSON`, { cause: error });
  }
  const auths = (document as { auths?: unknown } | null)?.auths;
  return typeof auths === 'object' && auths !== null ? (auths as Record<string, unknown>) : {};
}

/** Docker wrote keys as URLs once: `https://host/v1/` stands for `host`, except for Docker Hub's own key. */
function normalizeKey(key: string): string {
  const trimmed = key.replace(/\/+$/, '');
  if (DOCKER_HUB_KEYS.includes(trimmed)) return trimmed;
  return trimmed.replace(/^https?:\/\//, '').replace(/\/v[12]$/, '');
}

function parseCredential(value: unknown): Credential | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { auth, username, password, identitytoken } = value as Record<string, unknown>;
  if (typeof identitytoken === 'string' && identitytoken !== '')
    return { kind: 'identity-token', token: identitytoken };
  if (typeof auth === 'string' && auth !== '') {
    const text = Buffer.from(auth, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    if (colon > 0) return { kind: 'basic', username: text.slice(0, colon), password: text.slice(colon + 1) };
  }
  if (typeof username === 'string' && username !== '' && typeof password === 'string') {
    return { kind: 'basic', username, password };
  }
  return undefined;
}

import { readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { DtError, systemErrorCode } from '../../domain/errors.ts';
import { DOCKER_HUB_REGISTRY, normalizeRegistry } from '../../domain/oci/reference.ts';
import { MAX_CERTIFICATE_FILE_BYTES, readSmallFile } from '../read-small-file.ts';
import { parseCertificates, unreadableFile } from './pem-certificates.ts';

/** What the folders of a host hold, all of it PEM. */
export interface HostCertificates {
  /** Authorities that are trusted for this host, beside the others. */
  readonly authorities: readonly string[];
  /** What the host may be shown; of the first folder that has any. */
  readonly clientPairs: readonly ClientPair[];
}

export interface ClientPair {
  readonly certificate: string;
  readonly key: string;
}

/** A name that cannot lead out of the folders. */
const FOLDER_NAME = /^[a-z0-9[][^/\\]*$/i;
/** Docker goes without the folder, too, where it may not look into it. */
const ABSENT: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EACCES']);

/** The folders that Podman and Docker look into, the user's own first. */
export function defaultCertificateFolders(environment: Readonly<Record<string, string | undefined>>): string[] {
  const home = (environment['HOME'] ?? '') === '' ? homedir() : (environment['HOME'] ?? '');
  return [join(home, '.config/containers/certs.d'), '/etc/containers/certs.d', '/etc/docker/certs.d'];
}

/**
 * Reads `FOLDER/HOST[:PORT]/`: `*.crt` are authorities, `NAME.cert` and `NAME.key` a client certificate. `host` is the host
 * of an https URL; port 443 may stand in the name of the folder. Undefined if no folder has anything; DT_CONFIG_INVALID for a
 * key without its certificate, a certificate without its key, and what cannot be read.
 * https://docs.docker.com/engine/security/certificates/
 *
 * It waits for the disk: it is asked once for each host, in the middle of choosing a connection.
 */
export function readHostCertificates(host: string, folders: readonly string[]): HostCertificates | undefined {
  const authorities: string[] = [];
  let clientPairs: readonly ClientPair[] = [];
  for (const folder of folders.flatMap((root) => folderNames(host).map((name) => join(root, name)))) {
    const files = listFolder(folder);
    for (const file of files.filter((name) => name.endsWith('.crt'))) {
      authorities.push(...parseCertificates(readText(join(folder, file)), join(folder, file)));
    }
    if (clientPairs.length === 0) clientPairs = readClientPairs(folder, files);
  }
  return authorities.length + clientPairs.length === 0 ? undefined : { authorities, clientPairs };
}

function folderNames(host: string): string[] {
  const names = [host, ...(/:\d+$/.test(host) ? [] : [`${host}:443`])];
  if (normalizeRegistry(host) === DOCKER_HUB_REGISTRY) names.unshift(DOCKER_HUB_REGISTRY);
  return [...new Set(names)].filter((name) => FOLDER_NAME.test(name));
}

function readClientPairs(folder: string, files: readonly string[]): ClientPair[] {
  const orphan = files.find((file) => {
    const other = file.endsWith('.key') ? file.replace(/key$/, 'cert') : file.replace(/cert$/, 'key');
    return /\.(?:key|cert)$/.test(file) && !files.includes(other);
  });
  if (orphan !== undefined) {
    const what = orphan.endsWith('.key') ? 'no certificate (.cert) beside it' : 'no key (.key) beside it';
    throw new DtError('DT_CONFIG_INVALID', `${join(folder, orphan)} has ${what}`, {
      detail: 'Certificates of authorities end in .crt, those of clients in .cert.',
    });
  }
  return files
    .filter((file) => file.endsWith('.cert'))
    .map((file) => {
      const path = join(folder, file);
      const pair = { certificate: readText(path), key: readText(path.replace(/cert$/, 'key')) };
      try {
        createSecureContext({ cert: pair.certificate, key: pair.key });
      } catch (error) {
        throw new DtError('DT_CONFIG_INVALID', `${path} and its key make no client certificate`, { cause: error });
      }
      return pair;
    });
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if (ABSENT.has(systemErrorCode(error) ?? '')) return [];
    throw unreadableFile(folder, error);
  }
}

function readText(path: string): string {
  try {
    return readSmallFile(path, MAX_CERTIFICATE_FILE_BYTES);
  } catch (error) {
    throw unreadableFile(path, error);
  }
}

import { accessSync, constants, createReadStream, existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';
import { digestHex } from '../../src/domain/oci/digest.ts';
import type { Descriptor } from '../../src/domain/oci/descriptor.ts';
import { manifestSuccessors, parseManifest } from '../../src/domain/oci/manifest.ts';
import { openFolderBackend } from '../../src/server/folder-backend.ts';
import { createMemoryBackend } from '../../src/server/memory-backend.ts';
import { startRegistryServer } from '../../src/server/start-registry-server.ts';
import type { KeyPair } from './certificates.ts';
import { pushBlob, pushManifest, type PushOptions } from './images.ts';
import { startServerProcess } from './server-process.ts';

const REPOSITORY_ROOT = join(import.meta.dirname, '../..');
const GOLDEN_LAYOUT = join(REPOSITORY_ROOT, '../shared/formats/golden/registry/registry-5101.oci.tar');

/** What registries started with `auth: true` accept. */
export const TEST_CREDENTIALS = { username: 'dt-user', password: 'dt-secret' } as const;
/** Distribution reads bcrypt only, which Node.js cannot make: this is the hash of the password above. */
const TEST_HTPASSWD = 'dt-user:$2b$05$abcdefghijklmnopqrstuuimt6//6u/L1P96V.i.Fjdad2X0bhhz2\n';

export interface TestRegistryOptions {
  /** Default: any free port. The golden cases need 5101 (source), 5102 (target) and 5103 (with authentication). */
  readonly port?: number;
  /** Ask for `TEST_CREDENTIALS`. */
  readonly auth?: boolean;
  /** Take indexes although some of their manifests are absent (distribution 3 and the embedded registry only). */
  readonly sparseIndexes?: boolean;
  /** Take the tokens of this server only (distribution 3 only). */
  readonly tokens?: TokenAuthority;
  /** Listen on another address than 127.0.0.1 (distribution only). */
  readonly address?: string;
  /** Speak TLS with this certificate (distribution only). */
  readonly tls?: KeyPair;
}

/** A token server that a registry trusts. */
export interface TokenAuthority {
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  /** Its public keys as a JSON Web Key Set. */
  readonly jwks: unknown;
}

export interface EmbeddedRegistryOptions extends TestRegistryOptions {
  /** Default `memory`. `folder` for large content. */
  readonly backend?: 'memory' | 'folder';
  readonly onRequest?: (method: string, path: string, status: number) => void;
}

export interface TestRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  close(): Promise<void>;
}

export interface EmbeddedRegistry extends TestRegistry {
  /** `METHOD TARGET STATUS` of every request so far. */
  readonly requests: readonly string[];
}

/** Starts the project's own registry in this process. A failure inside it is printed to standard error. */
export async function startEmbeddedRegistry(options: EmbeddedRegistryOptions = {}): Promise<EmbeddedRegistry> {
  const folder = options.backend === 'folder' ? await mkdtemp(join(tmpdir(), 'dt-registry-')) : undefined;
  const requests: string[] = [];
  const { username, password } = TEST_CREDENTIALS;
  const server = await startRegistryServer({
    backend: folder === undefined ? createMemoryBackend() : await openFolderBackend(folder),
    port: options.port,
    acceptSparseIndexes: options.sparseIndexes,
    auth: options.auth === true ? (user, secret) => user === username && secret === password : undefined,
    onRequest: (method, path, status) => {
      requests.push(`${method} ${path} ${String(status)}`);
      options.onRequest?.(method, path, status);
    },
    onError: (error) => {
      process.stderr.write(`embedded registry: ${error instanceof Error ? (error.stack ?? '') : String(error)}\n`);
    },
  });
  return {
    host: server.host,
    requests,
    close: async () => {
      await server.close();
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The binary of CNCF distribution 3, or undefined if this checkout has none. */
export function findDistribution3(): string | undefined {
  const tools = join(REPOSITORY_ROOT, '.tools/bin');
  return [join(tools, 'registry3'), join(tools, 'registry')].find((path) => existsSync(path));
}

/** The binary of distribution 2 as Debian packages it, or undefined if there is none. */
export function findDistribution2(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const paths = [
    join(REPOSITORY_ROOT, '.tools/bin/registry2'),
    ...folders.map((folder) => join(folder, 'docker-registry')),
  ];
  return paths.find(isExecutable);
}

/** Starts CNCF distribution 3 on a temporary folder. Throws if its binary is not there. */
export function startDistribution3(options: TestRegistryOptions = {}): Promise<TestRegistry> {
  return startDistribution(findDistribution3(), options);
}

/** Starts distribution 2 on a temporary folder. Throws if its binary is not there. */
export function startDistribution2(options: TestRegistryOptions = {}): Promise<TestRegistry> {
  if (options.sparseIndexes === true) throw new Error('distribution 2 cannot take sparse indexes');
  return startDistribution(findDistribution2(), options);
}

/** Pushes the content of the golden source registry, bytes as recorded. Returns the number of references. */
export async function loadGoldenRegistry(host: string, options: PushOptions = {}): Promise<number> {
  const files = await readTarFiles(GOLDEN_LAYOUT);
  const readFile = (name: string): Buffer => {
    const bytes = files.get(name);
    if (bytes === undefined) throw new Error(`the golden layout has no ${name}`);
    return bytes;
  };
  const readBlob = (descriptor: Descriptor): Buffer => readFile(`blobs/sha256/${digestHex(descriptor.digest)}`);
  const push = async (repository: string, tagOrDigest: string, descriptor: Descriptor): Promise<void> => {
    const bytes = readBlob(descriptor);
    const manifest = parseManifest({ descriptor, bytes });
    for (const successor of manifestSuccessors(manifest)) {
      if (manifest.kind === 'index') await push(repository, successor.digest, successor);
      else if (successor.urls === undefined) {
        await pushBlob(host, repository, readBlob(successor), successor.mediaType, options);
      }
    }
    await pushManifest(host, repository, tagOrDigest, bytes, descriptor.mediaType, options);
  };
  const { manifests } = JSON.parse(readFile('index.json').toString()) as { manifests: readonly Descriptor[] };
  for (const descriptor of manifests) {
    const name = descriptor.annotations?.['org.opencontainers.image.ref.name'] ?? '';
    const colon = name.lastIndexOf(':');
    await push(name.slice(0, colon), name.slice(colon + 1), descriptor);
  }
  return manifests.length;
}

async function startDistribution(binary: string | undefined, options: TestRegistryOptions): Promise<TestRegistry> {
  if (binary === undefined) throw new Error('this registry is not installed');
  const address = options.address ?? '127.0.0.1';
  const folder = await mkdtemp(join(tmpdir(), 'dt-distribution-'));
  await writeFile(join(folder, 'htpasswd'), TEST_HTPASSWD);
  await writeFile(join(folder, 'jwks.json'), JSON.stringify(options.tokens?.jwks ?? {}));
  const server = await startServerProcess({
    command: binary,
    address,
    port: options.port,
    env: { OTEL_TRACES_EXPORTER: 'none' },
    prepare: async (port) => {
      const configuration = distributionConfig(folder, `${address}:${String(port)}`, options);
      await writeFile(join(folder, 'config.json'), JSON.stringify(configuration));
      return ['serve', join(folder, 'config.json')];
    },
    ...(options.tls === undefined
      ? { isReady: async (port: number) => answers(`http://${address}:${String(port)}/v2/`) }
      : {}),
  });
  return {
    host: `${address}:${String(server.port)}`,
    close: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A configuration that versions 2 and 3 both read (JSON is YAML); https://distribution.github.io/distribution/about/configuration/ */
function distributionConfig(folder: string, host: string, options: TestRegistryOptions): unknown {
  const htpasswd = { realm: 'registry', path: join(folder, 'htpasswd') };
  return {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
    http: { addr: host, secret: 'test', ...(options.tls === undefined ? {} : { tls: options.tls }) },
    ...(options.auth === true ? { auth: { htpasswd } } : {}),
    ...(options.tokens === undefined
      ? {}
      : { auth: { token: { ...options.tokens, jwks: join(folder, 'jwks.json') } } }),
    validation: {
      manifests: {
        // Layers with foreign URLs are refused without this.
        urls: { allow: ['^https?://'] },
        ...(options.sparseIndexes === true ? { indexes: { platforms: 'none' } } : {}),
      },
    },
  };
}

async function answers(url: string): Promise<boolean> {
  const response = await fetch(url);
  await response.arrayBuffer();
  return [200, 401].includes(response.status);
}

async function readTarFiles(path: string): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const archive = extract();
  const reading = (async () => {
    for await (const entry of archive) files.set(entry.header.name, await buffer(entry));
  })();
  await Promise.all([pipeline(createReadStream(path), archive), reading]);
  return files;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

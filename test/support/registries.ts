import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, createReadStream, existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { extract } from 'tar-stream';
import { digestHex } from '../../src/domain/oci/digest.ts';
import type { Descriptor } from '../../src/domain/oci/descriptor.ts';
import { manifestSuccessors, parseManifest } from '../../src/domain/oci/manifest.ts';
import { openFolderBackend } from '../../src/server/folder-backend.ts';
import { createMemoryBackend } from '../../src/server/memory-backend.ts';
import { startRegistryServer } from '../../src/server/start-registry-server.ts';
import { pushBlob, pushManifest, type PushOptions } from './images.ts';

const REPOSITORY_ROOT = join(import.meta.dirname, '../..');
const GOLDEN_LAYOUT = join(REPOSITORY_ROOT, '../shared/formats/golden/registry/registry-5101.oci.tar');
const START_TIMEOUT_MS = 15_000;
const START_ATTEMPTS = 3;

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
  // Another process may take a port between the moment it was found free and the start of the registry.
  for (let attempt = 1; ; attempt += 1) {
    const folder = await mkdtemp(join(tmpdir(), 'dt-distribution-'));
    const host = `127.0.0.1:${String(options.port ?? (await findFreePort()))}`;
    await writeFile(join(folder, 'htpasswd'), TEST_HTPASSWD);
    await writeFile(join(folder, 'config.json'), JSON.stringify(distributionConfig(folder, host, options)));
    const child = spawn(binary, ['serve', join(folder, 'config.json')], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env['PATH'], OTEL_TRACES_EXPORTER: 'none' },
    });
    const errors = text(child.stderr);
    const kill = (): void => void child.kill('SIGKILL');
    process.once('exit', kill);
    const close = async (): Promise<void> => {
      process.off('exit', kill);
      await stopProcess(child);
      await rm(folder, { recursive: true, force: true });
    };
    if (await answersInTime(host, child)) return { host, close };
    await close();
    if (attempt === START_ATTEMPTS || options.port !== undefined) {
      throw new Error(`${binary} did not start on ${host}: ${(await errors).slice(0, 1000)}`);
    }
  }
}

/** A configuration that versions 2 and 3 both read (JSON is YAML); https://distribution.github.io/distribution/about/configuration/ */
function distributionConfig(folder: string, host: string, options: TestRegistryOptions): unknown {
  const htpasswd = { realm: 'registry', path: join(folder, 'htpasswd') };
  return {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
    http: { addr: host, secret: 'test' },
    ...(options.auth === true ? { auth: { htpasswd } } : {}),
    validation: {
      manifests: {
        // Layers with foreign URLs are refused without this.
        urls: { allow: ['^https?://'] },
        ...(options.sparseIndexes === true ? { indexes: { platforms: 'none' } } : {}),
      },
    },
  };
}

async function answersInTime(host: string, child: ChildProcess): Promise<boolean> {
  const deadlineMs = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadlineMs && !hasExited(child)) {
    try {
      const response = await fetch(`http://${host}/v2/`);
      await response.arrayBuffer();
      if ([200, 401].includes(response.status) && !hasExited(child)) return true;
    } catch {
      // Not listening yet.
    }
    await sleep(30);
  }
  return false;
}

function hasExited(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function stopProcess(child: ChildProcess): Promise<void> {
  if (hasExited(child)) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
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

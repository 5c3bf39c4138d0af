import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext } from 'node:test';
import type { Digest } from '../../../src/domain/oci/digest.ts';
import { openFolderBackend } from '../../../src/server/folder-backend.ts';
import { createMemoryBackend } from '../../../src/server/memory-backend.ts';
import type { RegistryBackend } from '../../../src/server/registry-backend.ts';
import { startRegistryServer, type RegistryServerOptions } from '../../../src/server/start-registry-server.ts';

export interface TestServer {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Errors inside the server; a test that expects none needs not look, the client got a 500 then. */
  readonly errors: readonly unknown[];
  send(method: string, path: string, body?: Uint8Array | string, headers?: Record<string, string>): Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
  /** The first OCI error code of the body. */
  readonly code: string | undefined;
  readonly json: unknown;
}

type StartServer = (t: TestContext, options?: Partial<RegistryServerOptions>) => Promise<TestServer>;

const BACKENDS: Readonly<Record<string, (t: TestContext) => Promise<RegistryBackend>>> = {
  memory: () => Promise.resolve(createMemoryBackend()),
  folder: async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'dt-test-registry-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    return openFolderBackend(folder);
  },
};

/** Runs the same tests over every backend. */
export function describeBackends(title: string, define: (start: StartServer) => void): void {
  for (const [name, open] of Object.entries(BACKENDS)) {
    describe(`${title} (${name})`, () => {
      define(async (t, options) => startTestServer(t, { backend: await open(t), ...options }));
    });
  }
}

export async function startTestServer(t: TestContext, options: RegistryServerOptions): Promise<TestServer> {
  const errors: unknown[] = [];
  const server = await startRegistryServer({ ...options, onError: (error) => errors.push(error) });
  t.after(() => server.close());
  return {
    ...server,
    errors,
    async send(method, path, body, headers = {}) {
      const init = { method, headers, redirect: 'manual' as const };
      const payload = body === undefined ? {} : { body: typeof body === 'string' ? body : Buffer.from(body) };
      const response = await fetch(new URL(path, server.url), { ...init, ...payload });
      const bytes = Buffer.from(await response.arrayBuffer());
      const json = parseJson(bytes);
      const code = (json as { errors?: { code: string }[] } | undefined)?.errors?.[0]?.code;
      return { status: response.status, headers: response.headers, body: bytes, code, json };
    },
  };
}

/** Puts a blob with one request and returns the status. */
export async function putBlob(
  server: TestServer,
  repository: string,
  digest: Digest,
  bytes: Uint8Array,
): Promise<number> {
  return (await server.send('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, bytes)).status;
}

/** Opens an upload and returns its path. */
export async function beginUpload(server: TestServer, repository: string): Promise<string> {
  const answer = await server.send('POST', `/v2/${repository}/blobs/uploads/`);
  return answer.headers.get('location') ?? '';
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

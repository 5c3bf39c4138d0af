import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServerProcess } from './server-process.ts';
import { findTool } from './tools.ts';

export const PROXY_CREDENTIALS = { username: 'proxy-user', password: 'planted-proxy-secret' } as const;

export interface ForwardProxy {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** `METHOD TARGET` of every request so far, from its log: `CONNECT host:port`, `GET http://host:port/path`. */
  readRequests(): Promise<string[]>;
  close(): Promise<void>;
}

/** Starts a real tinyproxy, which asks for `PROXY_CREDENTIALS` with `auth`. Throws if there is none; see `requireTool`. */
export async function startForwardProxy(options: { readonly auth?: boolean } = {}): Promise<ForwardProxy> {
  const command = findTool('tinyproxy');
  if (command === undefined) throw new Error('tinyproxy is not installed');
  const folder = await mkdtemp(join(tmpdir(), 'dt-tinyproxy-'));
  const [configurationFile, logFile] = [join(folder, 'tinyproxy.conf'), join(folder, 'tinyproxy.log')];
  const server = await startServerProcess({
    command,
    address: '127.0.0.1',
    prepare: async (port) => {
      // Without ConnectPort every port may be connected to. https://tinyproxy.github.io/
      const lines = ['Listen 127.0.0.1', `Port ${String(port)}`, 'Timeout 60', 'MaxClients 100', 'LogLevel Connect'];
      if (options.auth === true) lines.push(`BasicAuth ${Object.values(PROXY_CREDENTIALS).join(' ')}`);
      await writeFile(configurationFile, `${[...lines, `LogFile "${logFile}"`].join('\n')}\n`);
      return ['-d', '-c', configurationFile];
    },
  });
  return {
    host: `127.0.0.1:${String(server.port)}`,
    readRequests: async () =>
      [...(await readFile(logFile, 'utf8')).matchAll(/Request \(file descriptor \d+\): (\S+ \S+) HTTP/g)].map(
        ([, line = '']) => line,
      ),
    close: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

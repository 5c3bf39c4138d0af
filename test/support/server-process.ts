import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

const START_TIMEOUT_MS = 15_000;
const START_ATTEMPTS = 3;

export interface ServerProcess {
  readonly port: number;
  stop(): Promise<void>;
}

export interface ServerProcessOptions {
  readonly command: string;
  /** Prepares what the server needs to listen on the port and returns its arguments. */
  readonly prepare: (port: number) => Promise<readonly string[]>;
  readonly address: string;
  /** Default: any free port. */
  readonly port?: number | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: the port takes connections. */
  readonly isReady?: (port: number) => Promise<boolean>;
}

/** Starts a server and waits until it is ready. It is killed with the test process. */
export async function startServerProcess(options: ServerProcessOptions): Promise<ServerProcess> {
  // Another process may take a port between the moment it was found free and the start of the server.
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await findFreePort(options.address));
    const args = await options.prepare(port);
    const child = spawn(options.command, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env['PATH'], ...options.env },
    });
    const errors = text(child.stderr);
    const kill = (): void => void child.kill('SIGKILL');
    process.once('exit', kill);
    const stop = async (): Promise<void> => {
      process.off('exit', kill);
      await stopProcess(child);
    };
    const isReady = options.isReady ?? (async (): Promise<boolean> => takesConnections(options.address, port));
    if (await becomesReady(child, async () => isReady(port))) return { port, stop };
    await stop();
    if (attempt === START_ATTEMPTS || options.port !== undefined) {
      throw new Error(`${options.command} did not start: ${(await errors).slice(0, 1000)}`);
    }
  }
}

async function becomesReady(child: ChildProcess, isReady: () => Promise<boolean>): Promise<boolean> {
  const deadlineMs = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadlineMs && !hasExited(child)) {
    try {
      if ((await isReady()) && !hasExited(child)) return true;
    } catch {
      // Not listening yet.
    }
    await sleep(30);
  }
  return false;
}

async function takesConnections(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect');
    return true;
  } finally {
    socket.destroy();
  }
}

async function stopProcess(child: ChildProcess): Promise<void> {
  if (hasExited(child)) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

function hasExited(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function findFreePort(address: string): Promise<number> {
  const server = createServer().listen(0, address);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

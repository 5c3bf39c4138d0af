import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** How many of 100 requests fail on the bad network. */
export const FAILING_PERCENT = 5;

/** What the process of the proxy is told. */
export interface NetworkMessage {
  /** Share of the requests that fail, from 0 to 1. */
  readonly chance: number;
  readonly seed: number;
}

/** A proxy in a process of its own, so that it does not compete with the measuring one. Must be closed. */
export class FlakyNetwork {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, host: string) {
    this.#child = child;
    this.host = host;
  }

  /** Starts it before the registry `upstream` (`HOST:PORT`); it passes everything on as it is. */
  static async start(upstream: string): Promise<FlakyNetwork> {
    const child = fork(join(import.meta.dirname, 'fault-proxy.ts'), [upstream]);
    const [host] = (await once(child, 'message')) as [string];
    return new FlakyNetwork(child, host);
  }

  /** From now on this share of the requests fails, the same ones for the same seed. */
  async setFailures(message: NetworkMessage): Promise<void> {
    const done = once(this.#child, 'message');
    this.#child.send(message);
    await done;
  }

  close(): void {
    this.#child.disconnect();
  }
}

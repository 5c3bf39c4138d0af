import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { text } from 'node:stream/consumers';
import { describe, test, type TestContext } from 'node:test';
import type { FaultProxy } from './fault-proxy.ts';
import { SEED, type Random } from './random.ts';
import { DT_PATH } from './run-cli.ts';
import type { Sandbox } from './sandbox.ts';

/** Longer than the program takes to start. */
const MAX_START_MS = 150;
/** About as long as there is something to do after the last byte. */
const MAX_END_MS = 40;
/** Names that appear or go in the folder of the output: lock, partial file, the final name in place of it. */
const FILE_EVENTS = 4;

/** Lanes of kills that run side by side, each with a seed of its own. */
const LANES = 2;

/** Tests `what` in lanes of so many kills each. */
export function describeKills(
  what: string,
  killsPerLane: number,
  testLane: (t: TestContext, seed: number) => Promise<void>,
): void {
  describe(what, { concurrency: LANES }, () => {
    for (let lane = 0; lane < LANES; lane++) {
      const seed = SEED + lane;
      test(`${String(killsPerLane)} points, seed ${String(seed)}`, async (t) => testLane(t, seed));
    }
  });
}

/** A moment of a run. */
export type KillPoint =
  /** While it starts. */
  | { readonly kind: 'start'; readonly afterMs: number }
  /** When it has asked for so many things, before it gets the answer. */
  | { readonly kind: 'request'; readonly count: number }
  /** When so many bytes of blobs have passed, one way or the other. */
  | { readonly kind: 'bytes'; readonly count: number }
  /** When so many names have come or gone in the working directory. */
  | { readonly kind: 'file'; readonly count: number }
  /** After the last byte. */
  | { readonly kind: 'end'; readonly afterMs: number };

/** How much passes in an undisturbed run. */
export interface RunScale {
  readonly requests: number;
  readonly bytes: number;
  readonly hasFiles: boolean;
}

export interface RunToKill {
  readonly sandbox: Sandbox;
  readonly proxy: FaultProxy;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly scale: RunScale;
}

/** Half of the points are in the middle of blobs that have not passed yet, the others everywhere else. */
export function pickKillPoint(random: Random, { proxy, scale }: Pick<RunToKill, 'proxy' | 'scale'>): KillPoint {
  const leftBytes = Math.max(scale.bytes - measure(proxy).bytes, 1);
  const dice = random.below(20);
  if (dice < 2) return { kind: 'start', afterMs: random.below(MAX_START_MS) };
  if (dice < 7) return { kind: 'request', count: 1 + random.below(scale.requests) };
  if (dice < 9 && scale.hasFiles) return { kind: 'file', count: 1 + random.below(FILE_EVENTS) };
  if (dice < 10) return { kind: 'end', afterMs: random.below(MAX_END_MS) };
  return { kind: 'bytes', count: 1 + random.below(leftBytes) };
}

/** Runs the program and kills it (SIGKILL) at the point. False if it had ended, well, before that. */
export async function runAndKill({ sandbox, proxy, args, env, scale }: RunToKill, point: KillPoint): Promise<boolean> {
  const child = spawn(DT_PATH, args, {
    cwd: sandbox.work,
    env: { ...process.env, ...sandbox.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>;
  const errors = text(child.stderr);
  const kill = (): void => void child.kill('SIGKILL');
  const timers: NodeJS.Timeout[] = [];
  if (point.kind === 'start') timers.push(setTimeout(kill, point.afterMs));
  let names = 0;
  const watcher = watch(sandbox.work, (event) => {
    if (event === 'rename' && (names += 1) === count(point, 'file')) kill();
  });
  const before = measure(proxy);
  proxy.onProgress = () => {
    const now = measure(proxy);
    const [requests, bytes] = [now.requests - before.requests, now.bytes - before.bytes];
    if (requests >= count(point, 'request') || bytes >= count(point, 'bytes')) kill();
    if (point.kind === 'end' && now.bytes >= scale.bytes) timers.push(setTimeout(kill, point.afterMs));
  };
  const [code, signal] = await exited;
  proxy.onProgress = () => undefined;
  watcher.close();
  for (const timer of timers) clearTimeout(timer);
  if (signal === null && code !== 0)
    throw new Error(`dt ${args.join(' ')} ended with ${String(code)}: ${await errors}`);
  return signal !== null;
}

/** What has passed since the proxy was last told what to do. */
export function measure({ traffic }: FaultProxy): { requests: number; bytes: number } {
  return { requests: traffic.requests.length, bytes: traffic.fetchedBytes + traffic.sentBytes };
}

function count(point: KillPoint, kind: 'file' | 'request' | 'bytes'): number {
  return point.kind === kind ? point.count : Infinity;
}

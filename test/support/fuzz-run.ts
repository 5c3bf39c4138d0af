import { fork, type ChildProcess } from 'node:child_process';
import { copyFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFuzzCase, type FuzzCase } from './fuzz-case.ts';
import type { FuzzReply, FuzzRequest } from './fuzz-child.ts';
import { makeFuzzSeeds, type FuzzSeed } from './fuzz-seeds.ts';
import { withFolder } from './hostile-wraps.ts';

/** What a small wrap may cost, whatever is in it. */
export const MAX_CASE_CPU_MS = 5_000;
export const MAX_CASE_BYTES = 300 * 1024 * 1024;
/** What a process has taken it may keep; above this the next case gets a new one, so that it is measured alone. */
const MAX_REUSE_BYTES = 150 * 1024 * 1024;
/** Longer than a case may compute, as others use the machine at the same time. */
const WATCHDOG_MS = 30_000;
const CHILD_PATH = join(import.meta.dirname, 'fuzz-child.ts');
/** As bin/dt starts the program, and with less room. */
const CHILD_OPTIONS = ['--expose-gc', '--max-semi-space-size=4', '--max-old-space-size=256'];

export interface FuzzOptions {
  readonly seed: number;
  /** The first case. Default 0. */
  readonly first?: number;
  readonly count: number;
  /** No case is begun later, but for the first `minimum`. */
  readonly budgetMs?: number;
  readonly minimum?: number;
  readonly onCase?: (result: FuzzResult) => void;
}

export interface FuzzResult extends FuzzReply {
  readonly fuzzCase: FuzzCase;
  /** Where the wrap is kept; for a failure only. */
  readonly file?: string;
}

/** Runs cases in a process of their own. Failures are results; what the engine itself cannot do is thrown. */
export async function runFuzz(options: FuzzOptions): Promise<FuzzResult[]> {
  return withFolder(async (folder) => {
    const sources = await makeFuzzSeeds();
    const honest = new Map<string, string>();
    const user = new WrapUser();
    const results: FuzzResult[] = [];
    const deadlineMs = performance.now() + (options.budgetMs ?? Infinity);
    const { first = 0, minimum = 0, seed, count } = options;
    const use = async (
      bytes: Buffer,
      source: FuzzSeed,
      chartMode: FuzzCase['chartMode'],
      name: string,
    ): Promise<FuzzReply> => {
      const file = join(folder, name);
      await writeFile(file, bytes);
      return user.use({ file, chartMode, isLight: source.isLight });
    };
    try {
      for (
        let index = first;
        index < first + count && (index < first + minimum || performance.now() < deadlineMs);
        index++
      ) {
        const fuzzCase = await createFuzzCase(sources, seed, index);
        const { source, chartMode, bytes, mutation } = fuzzCase;
        const key = `${source.name}, ${chartMode}`;
        if (!honest.has(key))
          honest.set(key, requireAccepted(await use(source.wrap, source, chartMode, 'honest'), key));
        const used = await use(bytes, source, chartMode, 'case');
        const reply = judge(used, fuzzCase, mutation.isFaithful ? honest.get(key) : undefined);
        const kept = reply.outcome === 'failed' ? { file: await keep(join(folder, 'case'), seed, index) } : {};
        const result = { ...reply, ...kept, fuzzCase };
        results.push(result);
        options.onCase?.(result);
      }
      return results;
    } finally {
      user.close();
    }
  });
}

/** What stands for a failure: how it is repeated, and what went wrong. */
export function describeFailure({ fuzzCase, text, file }: FuzzResult, seed: number): string {
  const { index, mutation, source, chartMode } = fuzzCase;
  return `seed ${String(seed)}, case ${String(index)} (${mutation.kind} of ${source.name}, ${chartMode}), kept in ${file ?? '?'}: ${text}`;
}

function judge(reply: FuzzReply, { bytes, source }: FuzzCase, honest: string | undefined): FuzzReply {
  if (reply.outcome === 'failed') return reply;
  const fail = (text: string): FuzzReply => ({ ...reply, outcome: 'failed', text });
  if (reply.cpuMs > MAX_CASE_CPU_MS)
    return fail(`it took ${reply.cpuMs.toFixed(0)} ms of processor time (${reply.text.slice(0, 80)})`);
  if (reply.peakBytes > MAX_CASE_BYTES)
    return fail(`it took ${String(Math.round(reply.peakBytes / 2 ** 20))} MiB (${reply.text.slice(0, 80)})`);
  if (reply.verifyCpuMs > MAX_CASE_CPU_MS)
    return fail(`verify took ${reply.verifyCpuMs.toFixed(0)} ms of processor time`);
  if (reply.verifyPeakBytes > MAX_CASE_BYTES)
    return fail(`verify took ${String(Math.round(reply.verifyPeakBytes / 2 ** 20))} MiB`);
  if (reply.outcome === 'accepted' && honest !== undefined && reply.text !== honest)
    return fail('damaged content was accepted');
  if (reply.isVerified && honest !== undefined && !source.isForeign && !bytes.equals(source.wrap))
    return fail('verify has not seen the damage');
  return reply;
}

function requireAccepted({ outcome, text }: FuzzReply, name: string): string {
  if (outcome === 'accepted') return text;
  throw new Error(`the honest wrap is not accepted (${name}): ${text}`);
}

async function keep(file: string, seed: number, index: number): Promise<string> {
  const kept = join(tmpdir(), `dt-fuzz-${String(seed)}-${String(index)}.wrap.tgz`);
  await copyFile(file, kept);
  return kept;
}

/** The process that uses wraps; one that hangs or dies is replaced. */
class WrapUser {
  #child: ChildProcess | undefined;

  async use(request: FuzzRequest): Promise<FuzzReply> {
    const child = (this.#child ??= await startChild());
    return new Promise((resolve) => {
      const finish = (reply: FuzzReply): void => {
        clearTimeout(timer);
        child.removeAllListeners();
        resolve(reply);
      };
      const giveUp = (text: string): void => {
        this.close();
        finish({
          outcome: 'failed',
          text,
          isVerified: false,
          cpuMs: 0,
          peakBytes: 0,
          verifyCpuMs: 0,
          verifyPeakBytes: 0,
        });
      };
      const timer = setTimeout(() => {
        giveUp(`it did not end within ${String(WATCHDOG_MS)} ms`);
      }, WATCHDOG_MS);
      child.on('message', (reply: FuzzReply) => {
        finish(reply);
        if (Math.max(reply.peakBytes, reply.verifyPeakBytes) > MAX_REUSE_BYTES) this.close();
      });
      child.on('exit', (code, signal) => {
        giveUp(`the process ended: ${String(code ?? signal)}`);
      });
      child.send(request);
    });
  }

  close(): void {
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
  }
}

async function startChild(): Promise<ChildProcess> {
  const child = fork(CHILD_PATH, [], { execArgv: CHILD_OPTIONS, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  await new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', reject);
  });
  child.removeAllListeners();
  return child;
}

import { readFileSync, writeFileSync } from 'node:fs';
import { isDtError } from '../../src/domain/errors.ts';
import { createTestContext } from './hostile-wraps.ts';
import { useWrap, type UseOptions } from './fuzz-target.ts';
import { verifyWrap } from '../../src/workflows/verify-wrap.ts';

export interface FuzzRequest extends UseOptions {
  readonly file: string;
}

/** What became of one wrap. */
export interface FuzzReply {
  readonly outcome: 'accepted' | 'refused' | 'failed';
  /** The content that was accepted, the code of the refusal, or what went wrong. */
  readonly text: string;
  /** True if `verify` accepts the wrap. */
  readonly isVerified: boolean;
  /** Of all threads, for what `info` and `unwrap` do. */
  readonly cpuMs: number;
  readonly peakBytes: number;
  /** The same for `verify`. */
  readonly verifyCpuMs: number;
  readonly verifyPeakBytes: number;
}

interface Cost {
  readonly cpuMs: number;
  readonly peakBytes: number;
}

/** What came whole may still be a chart that cannot be rewritten, images that do not fit into one registry, or lack what a base has. */
const ALLOWED_REFUSALS =
  /^DT_(?:RELOCATION|YAML|BAD_REFERENCE|ANNOTATION)|^DT_WRAP_INCOMPLETE .*\bblob sha256:[a-f0-9]+ is not in/;

const context = await createTestContext();

process.on('message', (request: FuzzRequest) => {
  void answer(request).then((reply) => process.send?.(reply));
});
process.send?.('ready');

async function answer({ file, ...options }: FuzzRequest): Promise<FuzzReply> {
  const used = await measure(async () => useWrap(file, options, context));
  const verified = await measure(async () => {
    await verifyWrap({ file }, context);
    return '';
  });
  const isVerified = verified.outcome === 'accepted';
  const reply = { ...used, isVerified, verifyCpuMs: verified.cpuMs, verifyPeakBytes: verified.peakBytes };
  if (verified.outcome === 'failed') return { ...reply, outcome: 'failed', text: `verify: ${verified.text}` };
  if (isVerified && used.outcome === 'refused' && !ALLOWED_REFUSALS.test(used.text)) {
    return { ...reply, outcome: 'failed', text: `verify accepts what unwrap refuses: ${used.text}` };
  }
  return reply;
}

async function measure(work: () => Promise<string>): Promise<Pick<FuzzReply, 'outcome' | 'text'> & Cost> {
  global.gc?.();
  resetPeak();
  const before = process.cpuUsage();
  const result = await attempt(work);
  const { user, system } = process.cpuUsage(before);
  return { ...result, cpuMs: (user + system) / 1000, peakBytes: readPeakBytes() };
}

async function attempt(work: () => Promise<string>): Promise<Pick<FuzzReply, 'outcome' | 'text'>> {
  try {
    return { outcome: 'accepted', text: await work() };
  } catch (error) {
    if (isDtError(error) && error.code !== 'DT_BUG')
      return { outcome: 'refused', text: `${error.code} ${error.message}`.slice(0, 300) };
    return { outcome: 'failed', text: error instanceof Error ? String(error.stack) : String(error) };
  }
}

/** Linux alone can forget a peak; elsewhere it is that of the whole run. */
function resetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // The peak of the whole run is only ever higher.
  }
}

function readPeakBytes(): number {
  try {
    const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    if (kibibytes !== undefined) return Number(kibibytes) * 1024;
  } catch {
    // No /proc.
  }
  return process.resourceUsage().maxRSS * 1024;
}

import { StreamEntries } from '../archive/stream-entries.ts';
import { WrapStream } from '../archive/wrap-stream.ts';
import { DtError } from '../domain/errors.ts';
import { MAX_LOCK_BYTES } from '../domain/lock/parse-lock.ts';
import type { RunContext } from './context.ts';
import { describeLocks, listLockPaths, selectLocks, type WrapInformation } from './inspect-wrap.ts';
import { findStreamedInput, type WrapInput } from './opening/open-input.ts';
import { missingLockError } from './opening/opened-wrap.ts';
import { readDocument } from './opening/read-stream-start.ts';

/**
 * Tells what is in a wrap that comes as a stream, from its first entries; the rest is not read. Throws as `inspectWrap`, and
 * DT_WRAP_UNSUPPORTED for a wrap of another tool.
 */
export async function inspectStream(
  input: WrapInput,
  chartNames: readonly string[],
  context: RunContext,
): Promise<WrapInformation> {
  const streamed = await findStreamedInput(input, context);
  if (streamed === undefined) throw new DtError('DT_USAGE', `${input.file} does not come as a stream`);
  const stream = new WrapStream(await streamed.open(), streamed.name, context.signal);
  try {
    const entries = new StreamEntries(stream);
    const { document, topFolder } = await readDocument(entries);
    const texts = await readLockTexts(entries, listLockPaths(document, topFolder));
    return selectLocks(describeLocks(input.file, streamed.sizeBytes, texts, document), chartNames);
  } finally {
    stream.close();
  }
}

/** The locks come before everything large. */
async function readLockTexts(entries: StreamEntries, paths: readonly string[]): Promise<string[]> {
  const texts = new Map<string, string>();
  while (texts.size < new Set(paths).size) {
    const header = await entries.next();
    if (header === undefined || header.type === 'link') throw missingLockError(entries.stream.name);
    if (!paths.includes(header.path)) continue;
    texts.set(header.path, (await entries.stream.readEntry(MAX_LOCK_BYTES, 'bytes of a lock')).toString('utf8'));
  }
  return paths.map((path) => texts.get(path) ?? '');
}

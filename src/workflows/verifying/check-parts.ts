import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { OpenWrapFile } from '../../archive/wrap-file.ts';
import { DtError } from '../../domain/errors.ts';
import { formatCount } from '../../domain/format-quantity.ts';
import { CHECKSUM_EXTENSION } from '../../domain/wrap/wrap-parts.ts';
import type { Progress, Reporter } from '../ports.ts';

/** Says of parts without their checksums that none can be checked by itself. */
export function warnOfMissingChecksums(
  { path, parts }: Pick<OpenWrapFile, 'path' | 'parts'>,
  reporter: Reporter,
): void {
  if (parts.every(({ sha256 }) => sha256 !== undefined)) return;
  const name = basename(path) + CHECKSUM_EXTENSION;
  reporter.warn(
    `${name} is not beside the parts, or does not list them: it tells how many there are, and which one is damaged`,
  );
}

/** Checks parts by themselves, before the wrap is: what else is wrong with it may only come from a damaged one. Throws as `checkParts`. */
export async function requireSoundParts(
  opened: OpenWrapFile,
  { reporter, signal }: { readonly reporter: Reporter; readonly signal: AbortSignal },
): Promise<void> {
  const { parts, sizeBytes } = opened;
  warnOfMissingChecksums(opened, reporter);
  if (!parts.some(({ sha256 }) => sha256 !== undefined)) return;
  await reporter.step(
    'Checking the parts',
    async (progress) => {
      progress.setTotalBytes(sizeBytes);
      await checkParts(opened, progress, signal);
    },
    () => formatCount(parts.length, 'part'),
  );
}

/** Compares each part with its checksum. Throws DT_DIGEST_MISMATCH with the names of those that are damaged. */
async function checkParts({ path, file, parts }: OpenWrapFile, progress: Progress, signal: AbortSignal): Promise<void> {
  const damaged: string[] = [];
  const sums = parts.values();
  for await (const sum of hashParts({ file, parts }, progress, signal)) {
    const part = sums.next().value;
    if (part?.sha256 !== undefined && part.sha256 !== sum) damaged.push(basename(part.path));
  }
  if (damaged.length === 0) return;
  const why = `does not have its checksum in ${basename(path)}${CHECKSUM_EXTENSION}`;
  throw new DtError(
    'DT_DIGEST_MISMATCH',
    damaged.length === 1
      ? `${path} is damaged: its part ${String(damaged[0])} ${why}`
      : `${path} is damaged: ${formatCount(damaged.length, 'part')} of ${String(parts.length)} (${damaged.join(', ')})`,
    {
      hints: [`copy ${damaged.length === 1 ? 'this part' : 'these parts'} again`],
      failures: damaged.map((name) => ({
        image: name,
        error: new DtError('DT_DIGEST_MISMATCH', `the part ${name} ${why}`),
      })),
    },
  );
}

/** The sha256 of each part in hexadecimal, in their order. */
async function* hashParts(
  { file, parts }: Pick<OpenWrapFile, 'file' | 'parts'>,
  progress: Progress,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  let hash = createHash('sha256');
  let [number, leftBytes] = [0, parts[0]?.length ?? 0];
  for await (const chunk of file.stream(signal) as AsyncIterable<Buffer>) {
    // A chunk never crosses the border of a part.
    hash.update(chunk);
    progress.addBytes(chunk.length);
    leftBytes -= chunk.length;
    if (leftBytes > 0) continue;
    yield hash.digest('hex');
    hash = createHash('sha256');
    number += 1;
    leftBytes = parts[number]?.length ?? 0;
  }
}

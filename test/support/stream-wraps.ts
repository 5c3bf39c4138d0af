import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { DtError, type ErrorCode } from '../../src/domain/errors.ts';
import { unwrapCharts, type UnwrapChartsResult } from '../../src/workflows/unwrap-charts.ts';
import { assertNothingPushed, catchError } from './assert-refused.ts';
import { createTestContext, type WrapPiece } from './hostile-wraps.ts';
import { startEmbeddedRegistry } from './registries.ts';

/** What comes on standard input: all at once, or chunk by chunk. */
export type Input = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** Unwraps what comes on standard input. */
export async function unwrapStream(input: Input, host: string): Promise<UnwrapChartsResult> {
  const stdin = Readable.from(input instanceof Uint8Array ? [input] : input, { objectMode: false });
  return unwrapCharts(
    {
      file: '-',
      stdin,
      prefix: `${host}/mirror`,
      valuesFiles: ['values.yaml'],
      skipImages: false,
      assumeYes: true,
    },
    await createTestContext(),
  );
}

/** What comes on standard input must be refused with one of the codes; nothing but blobs may be in the target then. */
export async function assertStreamRefused(input: Input, codes: readonly ErrorCode[]): Promise<void> {
  const target = await startEmbeddedRegistry();
  try {
    const error = await catchError(unwrapStream(input, target.host));
    assert.ok(error instanceof DtError, `not refused on purpose: ${error instanceof Error ? String(error.stack) : ''}`);
    assert.ok(codes.includes(error.code), `${error.code} (${error.message}) is none of ${codes.join(', ')}`);
    assert.equal(error.exitCode, 3);
    assertNothingPushed(target.requests, { allowBlobs: true });
  } finally {
    await target.close();
  }
}

/** The large blobs of a wrap: those that come behind all small entries. */
export function largeBlobsOf(pieces: readonly WrapPiece[]): WrapPiece[] {
  return pieces.filter(({ header, content }) => header.name.includes('/blobs/') && content.length >= 64 * 1024);
}

import type { Readable } from 'node:stream';
import { verifyBlob } from '../../content/verified-stream.ts';
import { DtError } from '../../domain/errors.ts';
import { hasOciScheme } from '../../domain/oci/oci-scheme.ts';
import { STANDARD_STREAM } from '../../domain/standard-stream.ts';
import { findWrapLayer } from '../../domain/wrap/wrap-artifact.ts';
import { readOciVersion } from '../charts/read-oci-version.ts';
import type { RunContext } from '../context.ts';
import { nameSide, nameStreamSide } from '../name-side.ts';
import { openStreamedWrap, type StreamedInput } from './open-streamed-wrap.ts';
import { openWrap } from './open-wrap.ts';
import type { OpenedWrap } from './opened-wrap.ts';

/** Where a wrap is read from. */
export interface WrapInput {
  /** A path, `-`, or `oci://…`. */
  readonly file: string;
  /** Of a wrap in a registry only: a version, or range of versions; default: the tag of `file`, or the latest. */
  readonly version?: string | undefined;
  /** Needed for `-`. */
  readonly stdin?: Readable | undefined;
}

/** Opens a wrap that is a file, or comes as a stream. Throws as `openWrap`, `openStreamedWrap` and `findStreamedInput`. */
export async function openInput(input: WrapInput, context: RunContext): Promise<OpenedWrap> {
  const streamed = await findStreamedInput(input, context);
  return streamed === undefined ? openWrap(input.file, context) : openStreamedWrap(streamed, context.signal);
}

/**
 * The stream that a wrap comes as; undefined for a file. Throws DT_WRAP_INVALID for what is no wrap in a registry, and the registry
 * errors.
 */
export async function findStreamedInput(
  { file, version, stdin }: WrapInput,
  context: RunContext,
): Promise<(StreamedInput & { readonly sizeBytes?: number }) | undefined> {
  if (hasOciScheme(file)) {
    return nameSide('source', async () => {
      const { store, content } = await readOciVersion(file, version, context);
      const layer = findWrapLayer(content, file);
      const { signal } = context;
      const open = async (): Promise<Readable> =>
        nameSide('source', async () =>
          nameStreamSide('source', verifyBlob(await store.openBlob(layer, { signal }), layer, store.name)),
        );
      return { name: file, open, sizeBytes: layer.size };
    });
  }
  if (file !== STANDARD_STREAM) return undefined;
  if (stdin === undefined) throw new DtError('DT_USAGE', 'standard input cannot be read here');
  return { name: 'standard input', open: () => Promise.resolve(stdin) };
}

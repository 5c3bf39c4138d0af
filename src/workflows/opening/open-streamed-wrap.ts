import type { Readable } from 'node:stream';
import { StreamEntries } from '../../archive/stream-entries.ts';
import { WrapStream } from '../../archive/wrap-stream.ts';
import { StreamedBlobs } from '../../content/streamed-blobs.ts';
import { StreamedStore } from '../../content/streamed-store.ts';
import { assembleWrap } from './assemble-wrap.ts';
import type { OpenedWrap } from './opened-wrap.ts';
import { readStreamStart } from './read-stream-start.ts';

/** A wrap that comes as a stream, once. */
export interface StreamedInput {
  /** What messages call it. */
  readonly name: string;
  readonly open: () => Promise<Readable>;
}

/**
 * Opens a wrap that comes as a stream: reads up to its first large blob. Its store goes on from there, in one pass, and tells at the end
 * whether all of it was sound. Throws DT_WRAP_UNSUPPORTED for a wrap of another tool, and the codes of damaged wraps.
 */
export async function openStreamedWrap(input: StreamedInput, signal: AbortSignal): Promise<OpenedWrap> {
  const stream = new WrapStream(await input.open(), input.name, signal);
  try {
    const entries = new StreamEntries(stream);
    const { files, document, topFolder, held, first } = await readStreamStart(entries);
    const blobs = new StreamedBlobs({ entries, document, topFolder, held, first });
    const store = new StreamedStore(input.name, document, held, blobs);
    return assembleWrap({ path: input.name, files, document, topFolder, store }, () => {
      stream.close();
      return Promise.resolve();
    });
  } catch (error) {
    stream.close();
    throw error;
  }
}

import type { Readable } from 'node:stream';
import { DtError } from '../domain/errors.ts';
import { digestMismatchError, sizeMismatchError } from '../domain/oci/blob-errors.ts';
import { createDigestHash, digestHex, type Digest } from '../domain/oci/digest.ts';
import type { BundleTarPlan, PlannedLayer } from './bundle-tar-plan.ts';
import { hasBytes } from './finished-members.ts';
import { requireRegularOutput, toOutputError } from './output-path.ts';
import { PartialOutput } from './partial-output.ts';
import type { PositionalReader } from './segmented-file.ts';
import type { WriteBlobOptions } from './wrap-writer.ts';

const READ_BYTES = 1024 * 1024;

/**
 * Writes a planned bundle tar in place: every layer into its own region, in parallel, while it streams. The file is called
 * `OUTPUT.partial` until `finish`. The header of a layer is written when its bytes are right, so that an interrupted run is
 * continued from the file alone.
 */
export class BundleTarWriter {
  /** Layers that a former run has finished. */
  readonly continuedLayers: number;
  readonly #output: PartialOutput;
  readonly #outputPath: string;
  readonly #layers: ReadonlyMap<Digest, PlannedLayer>;
  readonly #finished: Set<Digest>;

  private constructor(outputPath: string, plan: BundleTarPlan, output: PartialOutput, finished: Set<Digest>) {
    this.#output = output;
    this.#outputPath = outputPath;
    this.#layers = new Map(plan.layers.map((layer) => [layer.digest, layer]));
    this.#finished = finished;
    this.continuedLayers = finished.size;
  }

  /**
   * Opens the partial file and writes the table of contents. Layers that a former run of the same plan has finished are hashed
   * again and kept. Throws DT_OUTPUT_FAILED or DT_DISK_FULL.
   */
  static async open(outputPath: string, plan: BundleTarPlan, signal?: AbortSignal): Promise<BundleTarWriter> {
    try {
      await requireRegularOutput(outputPath);
      const output = await PartialOutput.open(outputPath, { totalBytes: plan.totalBytes });
      try {
        const finished = (await output.hasLengths())
          ? await findFinishedLayers(output.file, plan, signal)
          : new Set<Digest>();
        if (finished.size === 0) await output.clear();
        await output.file.write(plan.start, 0);
        await output.stretch();
        return new BundleTarWriter(outputPath, plan, output, finished);
      } catch (error) {
        await output.file.close();
        throw error;
      }
    } catch (error) {
      throw toOutputError(error, outputPath);
    }
  }

  /** True if the blob needs no writing: it lies there, or it is no layer. */
  isFinished(digest: Digest): boolean {
    return this.#finished.has(digest) || !this.#layers.has(digest);
  }

  /** Writes a layer into its region and verifies it on the way. Throws DT_SIZE_MISMATCH, DT_DIGEST_MISMATCH. */
  async writeBlob(digest: Digest, stream: Readable, options: WriteBlobOptions = {}): Promise<void> {
    const layer = this.#layers.get(digest);
    if (layer === undefined) {
      stream.destroy();
      return;
    }
    try {
      await this.#writeContent(layer, stream as AsyncIterable<Buffer>, options);
      await this.#output.file.write(layer.header, layer.offset);
      this.#finished.add(digest);
    } catch (error) {
      throw toOutputError(error, this.#outputPath);
    }
  }

  /** Gives the file its final name. Throws DT_OUTPUT_FAILED if a layer is missing. */
  async finish(): Promise<void> {
    try {
      for (const digest of this.#layers.keys()) {
        if (!this.#finished.has(digest)) throw new DtError('DT_OUTPUT_FAILED', `layer ${digest} was never written`);
      }
      await this.#output.file.close();
      await this.#output.publish([]);
    } catch (error) {
      throw toOutputError(error, this.#outputPath);
    }
  }

  /** Closes the file and keeps it for the next run if a layer of it is finished. Returns the path of what stays. */
  async abandon(): Promise<string | undefined> {
    await this.#output.file.close();
    if (this.#finished.size > 0) return this.#output.name;
    await this.#output.remove();
    return undefined;
  }

  async #writeContent(
    { digest, sizeBytes, header, offset }: PlannedLayer,
    stream: AsyncIterable<Buffer>,
    { sourceName = 'its source', onBytes }: WriteBlobOptions,
  ): Promise<void> {
    const hash = createDigestHash(digest);
    let seenBytes = 0;
    for await (const chunk of stream) {
      if (seenBytes + chunk.length > sizeBytes) throw sizeMismatchError(digest, sizeBytes, sourceName, 'more');
      const start = offset + header.length + seenBytes;
      seenBytes += chunk.length;
      const written = this.#output.file.write(chunk, start);
      hash.update(chunk);
      await written;
      onBytes?.(chunk.length);
    }
    if (seenBytes !== sizeBytes) throw sizeMismatchError(digest, sizeBytes, sourceName, seenBytes);
    if (hash.digest('hex') !== digestHex(digest)) throw digestMismatchError(digest, sourceName);
  }
}

async function findFinishedLayers(
  file: PositionalReader,
  { start, layers }: BundleTarPlan,
  signal: AbortSignal | undefined,
): Promise<Set<Digest>> {
  const finished = new Set<Digest>();
  if (!(await hasBytes(file, start, 0))) return finished;
  for (const layer of layers) {
    if (await isFinishedLayer(file, layer, signal)) finished.add(layer.digest);
  }
  return finished;
}

async function isFinishedLayer(
  file: PositionalReader,
  { digest, sizeBytes, header, offset }: PlannedLayer,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (!(await hasBytes(file, header, offset))) return false;
  const hash = createDigestHash(digest);
  const buffer = Buffer.alloc(Math.min(READ_BYTES, sizeBytes));
  for (let at = 0; at < sizeBytes;) {
    signal?.throwIfAborted();
    const readBytes = await file.read(
      [buffer.subarray(0, Math.min(buffer.length, sizeBytes - at))],
      offset + header.length + at,
    );
    if (readBytes === 0) return false;
    hash.update(buffer.subarray(0, readBytes));
    at += readBytes;
  }
  return hash.digest('hex') === digestHex(digest);
}

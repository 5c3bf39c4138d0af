import type { Readable, Writable } from 'node:stream';
import type { LargeMember, WrapPlan } from '../../archive/wrap-plan.ts';
import { WrapStreamWriter } from '../../archive/wrap-stream-writer.ts';
import type { WrittenWrap } from '../../archive/wrap-writer.ts';
import type { BlobListener } from '../../content/copy-job.ts';
import { readFromAny } from '../../content/read-from-any.ts';
import { verifyBlob } from '../../content/verified-stream.ts';
import { isFatal } from '../../domain/error-rules.ts';
import { isDtError } from '../../domain/errors.ts';
import type { Digest } from '../../domain/oci/digest.ts';
import { combineFailures } from '../collect-failures.ts';
import type { RunContext } from '../context.ts';
import { explainBlob } from './explain-artifact.ts';
import type { GatheredContent } from './gather-images.ts';
import { isLargeBlob } from './layout-writer.ts';
import { groupBlobs, listStores, type NeededBlob } from './needed-blobs.ts';

/** What messages call standard output. */
const OUTPUT_NAME = 'standard output';

export interface WrapToStream {
  readonly plan: WrapPlan;
  readonly contents: readonly GatheredContent[];
  readonly stream: Writable;
}

/**
 * Writes a planned wrap to a stream in one pass, the same bytes as into a file: each large blob comes from its registry, verified, when it
 * is its turn. A failure ends the stream before its footer, so that nobody takes it for a wrap. Throws DT_OUTPUT_FAILED, and one error
 * that names the images that need what failed.
 */
export async function streamWrap(
  { plan, contents, stream }: WrapToStream,
  context: Pick<RunContext, 'signal'>,
  onBytes: BlobListener,
): Promise<WrittenWrap> {
  const writer = new WrapStreamWriter(stream, OUTPUT_NAME);
  const needed = groupBlobs(contents, isLargeBlob);
  for (const member of plan.members) {
    context.signal.throwIfAborted();
    if (member.kind === 'small') await writer.write(member.bytes);
    else if (typeof member.content !== 'string') await writer.writeMember(member, [member.content]);
    else await writeBlob(writer, { member, blob: findBlob(needed, member.content), contents }, context, onBytes);
  }
  return { sizeBytes: plan.totalBytes, parts: [], removed: [] };
}

async function writeBlob(
  writer: WrapStreamWriter,
  { member, blob, contents }: { member: LargeMember; blob: NeededBlob; contents: readonly GatheredContent[] },
  { signal }: Pick<RunContext, 'signal'>,
  onBytes: BlobListener,
): Promise<void> {
  const { descriptor, users } = blob;
  try {
    const bytes = await readFromAny(listStores(blob), signal, async (store): Promise<Readable> => {
      return verifyBlob(await store.openBlob(descriptor, { signal }), descriptor, store.name, (sizeBytes) => {
        onBytes(descriptor, sizeBytes, true);
      });
    });
    await writer.writeMember(member, bytes as AsyncIterable<Buffer>);
  } catch (error) {
    if (signal.aborted || !isDtError(error) || isFatal(error)) throw error;
    const failures = users.map((user) => ({ image: user.name, error: explainBlob(error, user, descriptor.digest) }));
    const detail = 'What was written has no end, so it is refused where it arrives.';
    throw combineFailures(failures, { totalCount: contents.length, verb: 'pulled', detail });
  }
}

function findBlob(needed: ReadonlyMap<Digest, NeededBlob>, digest: Digest): NeededBlob {
  const blob = needed.get(digest);
  if (blob === undefined) throw new TypeError(`nobody has the blob ${digest} of the plan`);
  return blob;
}

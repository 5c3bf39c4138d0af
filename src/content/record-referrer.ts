import { setTimeout as sleep } from 'node:timers/promises';
import { referrersTag } from '../domain/oci/attached-artifact.ts';
import { DtError, isDtError } from '../domain/errors.ts';
import type { Descriptor, ManifestContent } from '../domain/oci/descriptor.ts';
import type { Digest } from '../domain/oci/digest.ts';
import {
  addReferrers,
  describeReferrer,
  entryDigest,
  readReferrersIndex,
  type ReferrersIndex,
} from '../domain/oci/referrers-index.ts';
import { interruptionError } from '../domain/interruption.ts';

/** How often the list is written again because somebody else has replaced it. */
const MAX_WRITES = 10;
const MIN_SETTLE_MS = 20;
const MAX_SETTLE_MS = 2_000;

/** The repository in which a list of referrers is kept. */
export interface ReferrersPlace {
  readonly name: string;
  /** Writers to the same list with the same owner take turns. */
  readonly owner: object;
  /** What the Referrers API lists for the subject; undefined without that API. */
  listReferrers(): Promise<readonly Digest[] | undefined>;
  readManifest(tag: string): Promise<ManifestContent>;
  putManifest(tag: string, index: ManifestContent): Promise<unknown>;
  readonly signal: AbortSignal | undefined;
}

/**
 * Adds a manifest that was just pushed to the list of what is attached to its subject, in the index under the tag that is made for
 * registries without the Referrers API. Does nothing if that API, or the index, lists it already. Every other entry stays. There is
 * no way to write only if nothing has changed: the index is read back after a while, and written again if an entry got lost.
 * Throws DT_REGISTRY_ERROR, also for anything under the tag that is no such index: it is never overwritten.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests-with-subject
 */
export async function recordReferrer(place: ReferrersPlace, subject: Digest, content: ManifestContent): Promise<void> {
  const listed = await place.listReferrers();
  if (listed?.includes(content.descriptor.digest) === true) return;
  await findQueue(place, referrersTag(subject)).add(describeReferrer(content), place);
}

const queuesOfOwners = new WeakMap<object, Map<string, TagQueue>>();

function findQueue({ owner, name }: ReferrersPlace, tag: string): TagQueue {
  const queues = queuesOfOwners.get(owner) ?? new Map<string, TagQueue>();
  queuesOfOwners.set(owner, queues);
  const queue = queues.get(`${name}:${tag}`) ?? new TagQueue(tag);
  queues.set(`${name}:${tag}`, queue);
  return queue;
}

interface Batch {
  readonly done: Promise<void>;
  readonly signal: AbortSignal | undefined;
}

/** One write at a time to one index; what comes meanwhile goes together with the next. */
class TagQueue {
  readonly #tag: string;
  /** What this process has added: looked after with every write. */
  readonly #added = new Map<Digest, Descriptor>();
  #waiting = new Map<Digest, Descriptor>();
  #next: Batch | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(tag: string) {
    this.#tag = tag;
  }

  async add(entry: Descriptor, place: ReferrersPlace): Promise<void> {
    const { signal } = place;
    for (;;) {
      this.#waiting.set(entry.digest, entry);
      const batch = (this.#next ??= this.#plan(place));
      try {
        await batch.done;
        return;
      } catch (error) {
        // The interruption of another writer is not ours.
        const isOurs = batch.signal === signal || batch.signal?.aborted !== true || signal?.aborted === true;
        if (isOurs) throw error;
      }
    }
  }

  #plan(place: ReferrersPlace): Batch {
    const done = this.#last.then(async () => {
      const entries = this.#waiting;
      this.#waiting = new Map();
      this.#next = undefined;
      await writeEntries(place, this.#tag, new Map([...this.#added, ...entries]));
      for (const [digest, entry] of entries) this.#added.set(digest, entry);
    });
    this.#last = done.catch(() => undefined);
    return { done, signal: place.signal };
  }
}

async function writeEntries(place: ReferrersPlace, tag: string, wanted: ReadonlyMap<Digest, unknown>): Promise<void> {
  const known = new Map(wanted);
  for (let writes = 0; ; writes++) {
    const startMs = performance.now();
    const present = await readPresent(place, tag);
    for (const entry of present?.entries ?? []) {
      const digest = entryDigest(entry);
      if (digest !== undefined && !known.has(digest)) known.set(digest, entry);
    }
    const index = addReferrers(present, known);
    if (index === undefined) return;
    if (writes === MAX_WRITES) {
      throw new DtError('DT_REGISTRY_ERROR', `${place.name}: ${tag} lost entries ${String(MAX_WRITES)} times`, {
        detail:
          'The list of attached signatures and other artifacts is replaced by others, or is not read back as written.',
      });
    }
    await place.putManifest(tag, index);
    await settle(performance.now() - startMs, place.signal);
  }
}

/** Waits as long as another writer needs between its reading and its writing, if it is up to twice as slow as this one was. */
async function settle(writeMs: number, signal: AbortSignal | undefined): Promise<void> {
  const waitMs = Math.min(Math.max(writeMs * (1 + Math.random()), MIN_SETTLE_MS), MAX_SETTLE_MS);
  try {
    await sleep(waitMs, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    throw signal?.aborted === true ? interruptionError(signal) : error;
  }
}

/** Undefined if there is nothing under the tag. */
async function readPresent(place: ReferrersPlace, tag: string): Promise<ReferrersIndex | undefined> {
  const refuse = (why: string, cause?: unknown): DtError =>
    new DtError('DT_REGISTRY_ERROR', `${place.name}: ${tag} ${why}, so nothing was added to it`, {
      detail:
        'In a registry without the Referrers API this tag is for the list of attached signatures and other artifacts.',
      cause,
    });
  let content: ManifestContent;
  try {
    content = await place.readManifest(tag);
  } catch (error) {
    if (isDtError(error, 'DT_NOT_FOUND')) return undefined;
    throw isDtError(error, 'DT_LIMIT_EXCEEDED') ? refuse('is too large', error) : error;
  }
  const index = readReferrersIndex(content.bytes, content.descriptor.mediaType);
  if (index === undefined) throw refuse('is not an OCI index');
  return index;
}

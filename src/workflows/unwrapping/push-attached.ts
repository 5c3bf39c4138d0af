import { copyGraphs, findTag } from '../../content/copy-graph.ts';
import type { CopyJob } from '../../content/copy-job.ts';
import type { AttachedGraph } from '../../content/image-content.ts';
import type { RegistryStore } from '../../content/registry-store.ts';
import type { ReadableStore } from '../../content/store.ts';
import { isDtError, type ImageFailure } from '../../domain/errors.ts';
import { formatCount } from '../../domain/format-quantity.ts';
import { attachedTag, metadataTag } from '../../domain/oci/attached-artifact.ts';
import type { ManifestContent } from '../../domain/oci/descriptor.ts';
import type { Digest } from '../../domain/oci/digest.ts';
import { parseManifest } from '../../domain/oci/manifest.ts';
import { formatRepository, type Reference } from '../../domain/oci/reference.ts';
import { findTotalFailure, listFailures, toOutcome, tryAll, type Outcome } from '../collect-failures.ts';
import { blameArtifact } from '../blame-artifact.ts';
import type { RunContext } from '../context.ts';
import { openRepository } from '../registry-stores.ts';
import { runStep } from '../run-step.ts';

/** An image or a chart in the target, with what is attached to it. */
export interface AttachedPush {
  /** What messages call it. */
  readonly image: string;
  readonly source: ReadableStore;
  readonly target: Reference;
  readonly attached: readonly AttachedGraph[];
  /** Indexes of the source that are not in the target: what is attached to them is left out. */
  readonly lostDigests?: ReadonlySet<Digest> | undefined;
}

export interface PushAttachedOptions {
  /** Leave tags alone that have another digest in the target. */
  readonly noOverwrite?: boolean | undefined;
}

/**
 * Pushes signatures and what else is attached, behind what it is attached to. A tag of the target that holds more (signatures of
 * others) is left alone. One that fails does not stop the others.
 */
export async function pushAttached(
  pushes: readonly AttachedPush[],
  options: PushAttachedOptions,
  context: RunContext,
): Promise<ImageFailure[]> {
  const wanted = pushes.flatMap((push) => selectAttached(push, context).map((item) => ({ push, item })));
  if (wanted.length === 0) return [];
  const outcomes = await runStep(
    context.reporter,
    'Pushing signatures and other artifacts',
    async () => {
      const planned = await tryAll(wanted, context, async ({ push, item }, signal): Promise<CopyJob> => {
        const target = openRepository(context, push.target, 'push');
        const tags = await listWritableTags(push, item, target, options, { ...context, signal });
        return { source: push.source, target, graph: item.graph, tags };
      });
      const jobs = planned.flatMap((outcome) => ('result' in outcome ? [outcome.result] : []));
      const { failures } = await copyGraphs(jobs, { concurrency: context.concurrency, signal: context.signal });
      return planned.map((outcome) => ('error' in outcome ? outcome : toOutcome(failures.get(outcome.result))));
    },
    {
      findFailure: findTotalFailure,
      done: (outcomes) =>
        describePushed(
          wanted.map(({ item }) => item.artifact.digest),
          outcomes,
        ),
    },
  );
  const explained = outcomes.map((outcome, index) => explainOutcome(outcome, wanted[index]?.item));
  return listFailures(wanted, explained, ({ push }) => push.image);
}

function explainOutcome(outcome: Outcome<unknown>, item: AttachedGraph | undefined): Outcome<unknown> {
  if ('result' in outcome || item === undefined) return outcome;
  return { error: blameArtifact(outcome.error, item.artifact.digest) };
}

/** `3 of 4 attached artifacts in the target`; one that belongs to several images counts once. */
function describePushed(digests: readonly Digest[], outcomes: readonly Outcome<unknown>[]): string {
  const failed = new Set(digests.filter((_, index) => 'error' in (outcomes[index] ?? {})));
  const total = new Set(digests).size;
  const done = failed.size === 0 ? '' : `${String(total - failed.size)} of `;
  return `${done}${formatCount(total, 'attached artifact')} in the target`;
}

/** All but what is attached to an index that the target does not have. */
function selectAttached(
  { image, attached, lostDigests }: AttachedPush,
  { reporter }: RunContext,
): readonly AttachedGraph[] {
  const lost = new Set<Digest>(lostDigests);
  const kept = attached.filter(({ artifact: { subject, digest } }) => {
    // What is attached comes behind its subject.
    if (lost.has(subject)) lost.add(digest);
    return !lost.has(subject);
  });
  if (kept.length < attached.length) {
    const names = attached.filter((item) => !kept.includes(item)).map(describeArtifact);
    reporter.warn(
      `${image} has another index in the target, for which these do not hold; they are left out: ${[...new Set(names)].join(', ')}`,
    );
  }
  return kept;
}

function describeArtifact({ artifact, graph }: AttachedGraph): string {
  const manifest = parseManifest(graph.root);
  const type = manifest.kind === 'manifest' ? (manifest.artifactType ?? manifest.config.mediaType) : manifest.mediaType;
  return artifact.tag ?? `${type} ${artifact.digest}`;
}

async function listWritableTags(
  { target: reference }: AttachedPush,
  { artifact, graph }: AttachedGraph,
  target: RegistryStore,
  { noOverwrite }: PushAttachedOptions,
  { signal, reporter }: RunContext,
): Promise<string[]> {
  const { tag, subject, digest } = artifact;
  if (tag === undefined) return [];
  const isMetadata = tag === attachedTag(subject, 'metadata') && reference.tag !== undefined;
  const writable: string[] = [];
  for (const name of isMetadata ? [tag, metadataTag(reference.tag)] : [tag]) {
    const present = await findTag(target, name, signal);
    const place = `${formatRepository(reference)}:${name}`;
    if (present === undefined || present === digest) writable.push(name);
    else if (noOverwrite === true) reporter.warn(`${place} exists with another digest, and is left as it is`);
    else if (await holdsMore(target, present, graph, signal)) {
      reporter.warn(`${place} has entries that the wrap does not have, and is left as it is`);
    } else writable.push(name);
  }
  return writable;
}

/**
 * True if what the target has under a tag has entries that ours lacks: somebody else has signed there. Two signatures of cosign
 * may be over the same layer, and differ in its annotations only.
 */
async function holdsMore(
  target: RegistryStore,
  present: Digest,
  { root }: AttachedGraph['graph'],
  signal: AbortSignal,
): Promise<boolean> {
  const own = new Set(listEntries(root));
  const theirs = await target.readManifest(present, { signal });
  try {
    return listEntries(theirs).some((entry) => !own.has(entry));
  } catch (error) {
    // Whatever it is, somebody else has put it there.
    if (isDtError(error, 'DT_MANIFEST_INVALID')) return true;
    throw error;
  }
}

function listEntries(content: ManifestContent): string[] {
  const manifest = parseManifest(content);
  const entries = manifest.kind === 'index' ? manifest.manifests : manifest.layers;
  return entries.map(({ digest, annotations = {} }) => JSON.stringify([digest, Object.entries(annotations).sort()]));
}

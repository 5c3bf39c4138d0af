import { copyGraphs, findTag } from '../../content/copy-graph.ts';
import type { CopyJob } from '../../content/copy-job.ts';
import type { AttachedGraph } from '../../content/image-content.ts';
import type { RegistryStore } from '../../content/registry-store.ts';
import type { ReadableStore } from '../../content/store.ts';
import type { ImageFailure } from '../../domain/errors.ts';
import { formatCount } from '../../domain/format-quantity.ts';
import { attachedTag, metadataTag } from '../../domain/oci/attached-artifact.ts';
import type { Digest } from '../../domain/oci/digest.ts';
import { manifestSuccessors, parseManifest } from '../../domain/oci/manifest.ts';
import { formatRepository, type Reference } from '../../domain/oci/reference.ts';
import { listFailures, toOutcome, tryAll } from '../collect-failures.ts';
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

/**
 * Pushes signatures and what else is attached, behind what it is attached to. A tag of the target that holds more (signatures of
 * others) is left alone. One that fails does not stop the others.
 */
export async function pushAttached(pushes: readonly AttachedPush[], context: RunContext): Promise<ImageFailure[]> {
  const wanted = pushes.flatMap((push) => selectAttached(push, context).map((item) => ({ push, item })));
  if (wanted.length === 0) return [];
  return runStep(
    context.reporter,
    'Pushing signatures and other artifacts',
    async () => {
      const planned = await tryAll(wanted, context, async ({ push, item }, signal): Promise<CopyJob> => {
        const target = openRepository(context, push.target, 'push');
        const tags = await listWritableTags(push, item, target, { ...context, signal });
        return { source: push.source, target, graph: item.graph, tags };
      });
      const jobs = planned.flatMap((outcome) => ('result' in outcome ? [outcome.result] : []));
      const { failures } = await copyGraphs(jobs, { concurrency: context.concurrency, signal: context.signal });
      const outcomes = planned.map((outcome) =>
        'error' in outcome ? outcome : toOutcome(failures.get(outcome.result)),
      );
      return listFailures(wanted, outcomes, ({ push }) => push.image);
    },
    {
      findFailure: (failures) => (failures.length === pushes.length ? failures[0]?.error : undefined),
      done: () =>
        `${formatCount(new Set(wanted.map(({ item }) => item.artifact.digest)).size, 'attached artifact')} in the target`,
    },
  );
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
  { signal, reporter }: RunContext,
): Promise<string[]> {
  const { tag, subject, digest } = artifact;
  if (tag === undefined) return [];
  const isMetadata = tag === attachedTag(subject, 'metadata') && reference.tag !== undefined;
  const writable: string[] = [];
  for (const name of isMetadata ? [tag, metadataTag(reference.tag)] : [tag]) {
    const present = await findTag(target, name, signal);
    if (present === undefined || present === digest || !(await holdsMore(target, present, graph, signal)))
      writable.push(name);
    else
      reporter.warn(
        `${formatRepository(reference)}:${name} has entries that the wrap does not have, and is left as it is`,
      );
  }
  return writable;
}

/** True if what the target has under a tag has layers that ours lacks: somebody else has signed there. */
async function holdsMore(
  target: RegistryStore,
  present: Digest,
  { root }: AttachedGraph['graph'],
  signal: AbortSignal,
): Promise<boolean> {
  const own = new Set(manifestSuccessors(parseManifest(root)).map(({ digest }) => digest));
  const theirs = parseManifest(await target.readManifest(present, { signal }));
  const successors = theirs.kind === 'index' ? theirs.manifests : theirs.layers;
  return successors.some(({ digest }) => !own.has(digest));
}

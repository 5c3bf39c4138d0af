import { readLeaves } from '../../content/read-leaves.ts';
import { retryMismatch } from '../../content/retry-mismatch.ts';
import type { AnnotatedImage } from '../../domain/carvel/image-origins.ts';
import { DtError, isDtError } from '../../domain/errors.ts';
import { listPlatformManifests, selectPlatformManifests } from '../../domain/lock/lock-platforms.ts';
import { describeImagePlace, type ManifestImage } from '../../domain/manifests/image-place.ts';
import type { ImageOverride } from '../../domain/manifests/image-override.ts';
import {
  finishImage,
  planImage,
  type AskedImage,
  type ImagePlan,
  type RegistryAnswer,
} from '../../domain/manifests/plan-resolution.ts';
import { parseManifest } from '../../domain/oci/manifest.ts';
import { formatPlatform, type Platform } from '../../domain/oci/platform.ts';
import { referenceIdentifier } from '../../domain/oci/reference.ts';
import { askRegistries } from '../ask-registries.ts';
import { combineFailures, listFailures, type Outcome } from '../collect-failures.ts';
import type { RunContext } from '../context.ts';
import { NO_IMAGE_CODES } from '../locking/resolve-images.ts';
import { openRepository } from '../registry-stores.ts';

/** An image of manifests, and whether it only looks like one. */
export interface WantedImage extends ManifestImage {
  readonly isGuess?: boolean;
}

export interface ManifestResolution {
  readonly overrides: readonly ImageOverride[];
  /** The manifest to take of every index. */
  readonly platform: Platform | undefined;
}

/** What an image has become. */
export interface ResolvedManifestImage extends WantedImage {
  readonly resolved: AnnotatedImage;
}

/**
 * Finds out what the images of manifests are: overrides and locks tell, else the registries. Each thing is asked for once, and all
 * are tried: one error names every image that failed. A guess that no registry has is left out with a warning.
 */
export async function resolveManifestImages(
  images: readonly WantedImage[],
  { overrides, platform }: ManifestResolution,
  context: RunContext,
): Promise<readonly ResolvedManifestImage[]> {
  const plans = images.map((wanted) => tryPlan(wanted, overrides, platform));
  const answers = await askForImages(plans, context);
  const outcomes = plans.map((plan): Outcome<AnnotatedImage> => {
    if ('error' in plan) return plan;
    if (plan.result.kind === 'known') return { result: plan.result.image };
    const answer = answers.get(questionOf(plan.result));
    if (answer === undefined) throw new TypeError(`image ${plan.result.url} was not asked for`);
    return 'error' in answer ? answer : { result: finishImage(plan.result, answer.result) };
  });
  const failures = listFailures(images, outcomes, ({ image }) => image).filter(({ image, error }) => {
    const isGuess = images.find((wanted) => wanted.image === image)?.isGuess === true;
    if (!isGuess || !isDtError(error, ...NO_IMAGE_CODES)) return true;
    context.reporter.warn(`${image} only looks like an image and is left out: ${error.message}`);
    return false;
  });
  if (failures.length > 0) throw combineFailures(failures, { totalCount: images.length, verb: 'resolved' });
  return images.flatMap((wanted, index) => {
    const outcome = outcomes[index];
    return outcome === undefined || 'error' in outcome ? [] : [{ ...wanted, resolved: outcome.result }];
  });
}

/** A text that is no reference is told with its place. */
function tryPlan(
  { image, places }: WantedImage,
  overrides: readonly ImageOverride[],
  platform: Platform | undefined,
): Outcome<ImagePlan> {
  try {
    return { result: planImage(image, overrides, platform) };
  } catch (error) {
    if (!isDtError(error)) throw error;
    const [place] = places;
    if (error.code !== 'DT_BAD_REFERENCE' || place === undefined) return { error };
    return {
      error: new DtError(error.code, `${error.message} (${describeImagePlace(place)})`, {
        hints: ['{bin} manifests resolve -f MANIFESTS --unresolved-inspect'],
        cause: error,
      }),
    };
  }
}

async function askForImages(
  plans: readonly Outcome<ImagePlan>[],
  context: RunContext,
): Promise<ReadonlyMap<string, Outcome<RegistryAnswer>>> {
  const asked = new Map<string, AskedImage>();
  for (const plan of plans) {
    if ('result' in plan && plan.result.kind === 'ask') asked.set(questionOf(plan.result), plan.result);
  }
  const questions = [...asked.values()];
  const outcomes = await askRegistries(
    questions,
    {
      registryOf: ({ reference }) => reference.registry,
      refusesCredential: (registry) => context.clients.forRegistry(registry).hasRefusedCredential,
    },
    context,
    async (question, signal) => askRegistry(question, context, signal),
  );
  return new Map(
    questions.map((question, index) => [questionOf(question), outcomes[index] as Outcome<RegistryAnswer>]),
  );
}

function questionOf({ url, platform }: AskedImage): string {
  return JSON.stringify([url, platform]);
}

async function askRegistry(
  { url, reference, platform }: AskedImage,
  context: RunContext,
  signal: AbortSignal,
): Promise<RegistryAnswer> {
  const store = openRepository(context, reference);
  const identifier = referenceIdentifier(reference);
  if (platform === undefined) return { digest: (await store.resolve(identifier, signal)).digest };
  const root = await retryMismatch(store, async (bypassesCaches) =>
    store.readManifest(identifier, { signal, bypassesCaches }),
  );
  const { digest } = root.descriptor;
  const index = parseManifest(root);
  // What is no index is for one platform already, whichever that is.
  if (index.kind !== 'index') return { digest };
  const leaves = await readLeaves(store, index, { concurrency: context.concurrency, signal });
  const { osVersion } = platform;
  const manifests = listPlatformManifests({ kind: 'index', leaves }).filter(
    (manifest) => osVersion === undefined || manifest.platform.osVersion === osVersion,
  );
  const [selected, other] = selectPlatformManifests(manifests, [platform], url);
  if (selected === undefined || other !== undefined) {
    throw new DtError('DT_PLATFORM_NOT_FOUND', `image ${url} has several manifests for ${formatPlatform(platform)}`, {
      detail: 'A variant, or the version of the system behind a colon, tells them apart.',
    });
  }
  return { digest, platformDigest: selected.digest };
}

import { mapConcurrently } from '../../content/map-concurrently.ts';
import type { CheckedImage, DiscoveredImage, RegistryPresence } from '../../domain/discovery/discovered-image.ts';
import { isDtError } from '../../domain/errors.ts';
import { formatCount } from '../../domain/format-quantity.ts';
import { isManifestMediaType } from '../../domain/oci/media-types.ts';
import { parseReference, referenceIdentifier, type Reference } from '../../domain/oci/reference.ts';
import { askRegistries } from '../ask-registries.ts';
import type { RunContext } from '../context.ts';
import { openRepository } from '../registry-stores.ts';

/** Of the whole check: a text that only looks like an image may name a host that never answers. */
const MAX_CHECK_MS = 10_000;
/** Registries that are asked at the same time: more than usual, as each may be one that keeps silent. */
const CHECK_CONCURRENCY = 32;

/**
 * Asks the registries of the likely images whether they have them, with the credentials at hand, and returns all images in their
 * order. What has no answer within `maxMs` is `unknown`, as is a name without a tag, which nobody can ask for. Throws DT_INTERRUPTED.
 */
export async function checkLikelyImages(
  images: readonly DiscoveredImage[],
  context: RunContext,
  maxMs = MAX_CHECK_MS,
): Promise<readonly CheckedImage[]> {
  const asked = images
    .filter(({ confidence, isComplete }) => confidence === 'likely' && isComplete)
    .map(({ reference }) => reference);
  const answers =
    asked.length === 0
      ? new Map<string, RegistryPresence>()
      : await context.reporter.step(
          'Looking for likely images in their registries',
          async () => collectAnswers(asked, context, maxMs),
          ({ size }) =>
            `Registries asked for ${formatCount(asked.length, 'likely image')} (${formatCount(size, 'answer')})`,
        );
  return images.map((image) =>
    image.confidence === 'likely' ? { ...image, registry: answers.get(image.reference) ?? 'unknown' } : image,
  );
}

/** What is known by then, by the text of the reference. */
async function collectAnswers(
  texts: readonly string[],
  context: RunContext,
  maxMs: number,
): Promise<ReadonlyMap<string, RegistryPresence>> {
  const answers = new Map<string, RegistryPresence>();
  const late = new AbortController();
  const signal = AbortSignal.any([context.signal, late.signal]);
  const asking = askAll(texts, { ...context, signal }, answers);
  let timer: NodeJS.Timeout | undefined;
  // A credential helper and a token server may take longer than the request that waits for them.
  const timeUp = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      resolve();
      late.abort();
    }, maxMs);
  });
  try {
    await Promise.race([asking, timeUp]);
  } catch (error) {
    // Broken credentials leave the images unknown: they were found all the same.
    if (isDtError(error, 'DT_INTERRUPTED') || !isDtError(error)) throw error;
    context.reporter.warn(
      `the registries of ${formatCount(texts.length, 'likely image')} were not asked: ${error.message}`,
    );
  } finally {
    clearTimeout(timer);
  }
  return answers;
}

/** Each registry by itself: one that keeps silent holds no other up. */
async function askAll(
  texts: readonly string[],
  context: RunContext,
  answers: Map<string, RegistryPresence>,
): Promise<void> {
  const references = texts.map((text) => ({ text, ...parseReference(text) }));
  const groups = [...Map.groupBy(references, ({ registry }) => registry)];
  const { concurrency, clients } = context;
  const options = { signal: context.signal, concurrency: CHECK_CONCURRENCY };
  await mapConcurrently(groups, options, async ([registry, group], signal) =>
    askRegistries(
      group,
      {
        registryOf: () => registry,
        refusesCredential: () => clients.forRegistry(registry).hasRefusedCredential,
      },
      { signal, concurrency },
      async (reference, askSignal) => {
        answers.set(reference.text, await askForImage(reference, context, askSignal));
      },
    ),
  );
}

async function askForImage(reference: Reference, context: RunContext, signal: AbortSignal): Promise<RegistryPresence> {
  try {
    const { mediaType } = await openRepository(context, reference).resolve(referenceIdentifier(reference), signal);
    return isManifestMediaType(mediaType) ? 'present' : 'unknown';
  } catch (error) {
    if (isDtError(error, 'DT_NOT_FOUND')) return 'missing';
    throw error;
  }
}

import { parseReference } from '../oci/reference.ts';
import type { Confidence, DiscoveredImage, DiscoveryReason, ImageFinding } from './discovered-image.ts';
import { imageIdentity } from './find-rendered-images.ts';

const STRONGEST_FIRST: readonly Confidence[] = ['declared', 'rendered', 'likely', 'dormant'];

/**
 * One entry for each image, with all reasons and the strongest confidence; the strongest first, then in the order of the
 * findings. Name and chart are those of the first finding.
 */
export function mergeFindings(findings: readonly ImageFinding[]): readonly DiscoveredImage[] {
  const byImage = Map.groupBy(findings, ({ reference }) => imageIdentity(parseReference(reference)));
  const images = [...byImage.values()].map(mergeImage);
  return images.toSorted((left, right) => rank(left.confidence) - rank(right.confidence));
}

function mergeImage(findings: readonly ImageFinding[]): DiscoveredImage {
  const sorted = findings.toSorted((left, right) => rank(left.confidence) - rank(right.confidence));
  const [first] = sorted;
  const reference = first?.reference ?? '';
  const reasons = new Map(sorted.map(({ reason }) => [JSON.stringify(reason), reason]));
  return {
    reference,
    name: findings.find(({ name }) => name !== undefined)?.name ?? lastPart(parseReference(reference).repository),
    chart: first?.chart ?? '',
    confidence: first?.confidence ?? 'dormant',
    isComplete: findings.some(({ isComplete }) => isComplete),
    isTestOnly: [...reasons.values()].every(isTestReason),
    reasons: [...reasons.values()],
  };
}

function isTestReason(reason: DiscoveryReason): boolean {
  return (reason.kind === 'rendering' || reason.kind === 'feature') && reason.isTest;
}

function rank(confidence: Confidence): number {
  return STRONGEST_FIRST.indexOf(confidence);
}

function lastPart(repository: string): string {
  return repository.slice(repository.lastIndexOf('/') + 1);
}

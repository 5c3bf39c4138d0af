import { formatCount } from '../../domain/format-quantity.ts';
import { NO_HELM } from '../../helm/find-helm.ts';
import type { FoundImages } from './find-images.ts';

/** What may be missing from the result of discovery, in words: one text for each reason. */
export function describeGaps({ rendering, problems }: Pick<FoundImages, 'rendering' | 'problems'>): readonly string[] {
  switch (rendering.state) {
    case 'no-helm':
      return [`${NO_HELM}: only annotations, locks and the shape of values were looked at`];
    case 'failed':
      return [[rendering.error.message, ...rendering.error.hints].join('; ')];
    case 'rendered':
      return [
        ...(rendering.chosenKubeVersion === undefined
          ? []
          : [`the chart was rendered for Kubernetes ${rendering.chosenKubeVersion}, the nearest that it allows`]),
        ...(rendering.untriedFeatures === 0
          ? []
          : [`${formatCount(rendering.untriedFeatures, 'feature')} could not be switched on to look for more images`]),
        ...problems,
      ];
  }
}

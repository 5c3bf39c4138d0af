import type { Chart } from '../../domain/chart/chart.ts';
import type { DiscoveredImage, ImageFinding } from '../../domain/discovery/discovered-image.ts';
import { findDeclaredImages } from '../../domain/discovery/find-declared-images.ts';
import { findDormantShapes } from '../../domain/discovery/find-dormant-shapes.ts';
import { mergeFindings } from '../../domain/discovery/merge-discovered.ts';
import { DtError } from '../../domain/errors.ts';
import { formatReference, parseReference } from '../../domain/oci/reference.ts';
import { createKnownImages } from '../../domain/relocation/known-images.ts';
import type { RenderStatistics } from '../../helm/helm-renderer.ts';
import { listValuesTexts } from './chart-rendering.ts';
import type { RunContext } from '../context.ts';
import { findByRendering, type RenderingOutcome, type RenderingSearchOptions } from './find-by-rendering.ts';

export interface FindImagesOptions extends RenderingSearchOptions {
  /** Read this annotation instead of the known ones. */
  readonly annotationsKey?: string | undefined;
}

export interface FoundImages {
  readonly images: readonly DiscoveredImage[];
  readonly rendering: RenderingOutcome;
  /** Documents of the rendering that could not be read, and image fields that hold no reference. */
  readonly problems: readonly string[];
  readonly statistics: RenderStatistics;
}

/**
 * Finds the images of a chart: those that it declares, those that its rendering holds, those of features that are off, and
 * those that values files have the shape of. Without Helm, or if the chart does not render, only the first and the last. An empty result is
 * no error here. Throws as `readChartImages` does, DT_YAML_INVALID, DT_INTERRUPTED.
 */
export async function findImages(chart: Chart, options: FindImagesOptions, context: RunContext): Promise<FoundImages> {
  const declared = findDeclaredImages(chart, { ...options, ignoresOwnLock: options.purpose === 'lock' });
  const rendered = await findByRendering(chart, options, context);
  const findings = [...declared, ...rendered.findings];
  return {
    images: mergeFindings([...findings, ...findInValues(chart, options, findings)]),
    rendering: rendered.outcome,
    problems: rendered.problems,
    statistics: rendered.statistics,
  };
}

/**
 * Throws why the chart could not be rendered, if it does not say itself what it needs (the shape of values is no proof), and
 * DT_CHART_NO_IMAGES if nothing at all was found.
 */
export function requireImages(chart: Chart, { images, rendering }: FoundImages): void {
  const isDeclared = images.some(({ confidence }) => confidence === 'declared');
  if (rendering.state === 'failed' && !isDeclared) throw rendering.error;
  if (images.length > 0) return;
  throw new DtError('DT_CHART_NO_IMAGES', `no image was found in the chart "${chart.metadata.name}"`, {
    hints:
      rendering.state === 'no-helm'
        ? ['install Helm or set HELM_BIN: without it only annotations and values are looked at']
        : ['-f FILE or --set KEY=VALUE if it renders nothing by default'],
  });
}

/** What no rendering has shown, by the shape of the values alone. */
function findInValues(
  chart: Chart,
  options: FindImagesOptions,
  findings: readonly ImageFinding[],
): readonly ImageFinding[] {
  const known = createKnownImages(findings.map(({ reference }) => parseReference(reference)));
  const texts = listValuesTexts(chart, options.valuesFiles);
  const traced = listTracedRegistries(findings);
  return texts.flatMap((text) =>
    findDormantShapes(text, known)
      .filter(({ file, path }) => !traced.has(mapKey(file, path)))
      .map(({ reference, file, line, path }) => ({
        reference: formatReference(reference),
        chart: chart.metadata.name,
        confidence: 'dormant' as const,
        isComplete: true,
        reason: { kind: 'values' as const, file, line, path },
      })),
  );
}

/** The maps whose registry is the head of a rendered image: a template may put another one in than stands there. */
function listTracedRegistries(findings: readonly ImageFinding[]): ReadonlySet<string> {
  const origins = findings.flatMap(({ reason }) => ('origins' in reason ? reason.origins : []));
  return new Set(
    origins.filter(({ path }) => /(?:registry|hub)$/i.test(path)).map(({ file, path }) => mapKey(file, path)),
  );
}

/** The map that holds the scalar at a path. */
function mapKey(file: string, path: string): string {
  return `${file}\0${path.slice(0, Math.max(path.lastIndexOf('.'), 0))}`;
}

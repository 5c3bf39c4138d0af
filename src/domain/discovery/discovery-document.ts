import { WRAP_DISCOVERY_PATH, WRAP_FORMAT_VERSION } from '../wrap/wrap-document.ts';
import { requireBoundedJson } from '../wrap/wrap-json.ts';
import { outsideKey, outsideName } from './outside-values.ts';
import type { DiscoveredImage, DiscoveryReason } from './discovered-image.ts';

/** An image that a database operator runs stands in a hundred objects; a few of them say enough. */
const MAX_REASONS = 20;

/** How the images of a chart were looked for. */
export interface StoredRendering {
  /** `skipped` if only what is declared was asked for. */
  readonly state: 'rendered' | 'failed' | 'no-helm' | 'skipped';
  readonly helmVersion?: string | undefined;
  /** Set if the chart refused the version of Kubernetes that Helm takes by itself. */
  readonly chosenKubeVersion?: string | undefined;
}

/** What discovery found in one chart of a wrap. */
export interface ChartDiscovery {
  readonly rendering: StoredRendering;
  readonly images: readonly DiscoveredImage[];
}

/**
 * The bytes of `.dt/discovery.json`: for each top folder of a wrap why each image is there. Equal findings give equal bytes: names of
 * objects, which a chart may draw by lot, and paths of this machine stay out. Throws DT_LIMIT_EXCEEDED.
 */
export function formatDiscovery(charts: readonly (ChartDiscovery & { readonly folder: string })[]): Buffer {
  const document = {
    formatVersion: WRAP_FORMAT_VERSION,
    charts: charts.map(({ folder, rendering: { state, helmVersion, chosenKubeVersion }, images }) => ({
      folder,
      rendering: { state, helmVersion, chosenKubeVersion },
      images: images.map(storeImage),
    })),
  };
  const bytes = Buffer.from(`${JSON.stringify(document, null, 1)}\n`);
  requireBoundedJson(bytes, WRAP_DISCOVERY_PATH);
  return bytes;
}

function storeImage({ reference, name, chart, confidence, isComplete, isTestOnly, reasons }: DiscoveredImage): object {
  const stored = new Map(
    reasons.map((reason) => {
      const record = storeReason(reason);
      return [JSON.stringify(record), record] as const;
    }),
  );
  return {
    reference,
    name,
    chart,
    confidence,
    isComplete,
    isTestOnly,
    reasons: [...stored.values()].slice(0, MAX_REASONS),
  };
}

function storeReason(reason: DiscoveryReason): object {
  switch (reason.kind) {
    case 'annotation':
      return { kind: reason.kind, chart: reason.chart, key: reason.key };
    case 'lock':
      return { kind: reason.kind, file: reason.file };
    case 'values':
      return { kind: reason.kind, file: storeFile(reason.file), line: reason.line, path: reason.path };
    case 'rendering':
    case 'feature': {
      const { kind, template, object, path, field, isTest, origins } = reason;
      const objectKind = object.slice(0, object.indexOf('/'));
      const stored = origins.map((origin) => ({ ...origin, file: storeFile(origin.file) }));
      return { kind, template, objectKind, path, field, isTest, ...(stored.length === 0 ? {} : { origins: stored }) };
    }
  }
}

function storeFile(file: string): string {
  const path = outsideName(file);
  return path === undefined ? file : outsideKey(path.slice(path.search(/[^/\\]*$/)));
}

import type { Descriptor } from '../oci/descriptor.ts';
import { readCleanText, readMaps, readTexts } from './chart-config.ts';
import type { ChartMetadata } from './chart-metadata.ts';
import { formatGoJson, sortedByKey } from './go-json.ts';

const ANNOTATION_TITLE = 'org.opencontainers.image.title';
const ANNOTATION_VERSION = 'org.opencontainers.image.version';

/** Descriptors of the blobs of a chart in a registry; only media type, digest and size are written. */
export interface ChartManifestParts {
  readonly config: Descriptor;
  readonly chart: Descriptor;
  readonly provenance?: Descriptor | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The tag of a chart version: `+` is not allowed in a tag, so Helm writes `_`. */
export function chartTag(version: string): string {
  return version.replaceAll('+', '_');
}

/**
 * The annotations that Helm gives to the manifest of a chart: all of Chart.yaml, and some that follow from its fields.
 * `createdAt` is a time of RFC 3339 in whole seconds. Throws DT_CHART_INVALID.
 */
export function chartManifestAnnotations(metadata: ChartMetadata, createdAt: string): Record<string, string> {
  const { document } = metadata;
  const derived = {
    'org.opencontainers.image.description': readCleanText(document, 'description'),
    'org.opencontainers.image.url': readCleanText(document, 'home'),
    'org.opencontainers.image.created': createdAt,
    'org.opencontainers.image.source': readTexts(document, 'sources')[0] ?? '',
    'org.opencontainers.image.authors': formatAuthors(document),
  };
  const entries = Object.entries(derived).filter(([, value]) => value.trim() !== '');
  return {
    ...Object.fromEntries(entries),
    ...metadata.annotations,
    // The chart itself cannot change these two.
    [ANNOTATION_TITLE]: metadata.name,
    [ANNOTATION_VERSION]: metadata.version,
  };
}

/** The manifest of a chart in a registry, byte for byte as Helm writes it. */
export function formatChartManifest(parts: ChartManifestParts): Uint8Array {
  const { config, chart, provenance, annotations } = parts;
  const layers = provenance === undefined ? [chart] : [chart, provenance];
  const manifest = {
    schemaVersion: 2,
    config: pickDescriptor(config),
    layers: layers.map(pickDescriptor),
    annotations: sortedByKey(annotations),
  };
  return Buffer.from(formatGoJson(manifest));
}

function pickDescriptor({ mediaType, digest, size }: Descriptor): Pick<Descriptor, 'mediaType' | 'digest' | 'size'> {
  return { mediaType, digest, size };
}

function formatAuthors(document: Readonly<Record<string, unknown>>): string {
  return readMaps(document, 'maintainers')
    .map((maintainer) => {
      const email = readCleanText(maintainer, 'email');
      return readCleanText(maintainer, 'name') + (email === '' ? '' : ` (${email})`);
    })
    .join(', ');
}

import { LOCK_API_VERSION, LOCK_KIND, type ImagesLock, type LockDigest, type LockImage } from './images-lock.ts';
import { formatYamlScalar } from './yaml-scalar.ts';

/** The text of Images.lock, byte for byte as the Go tool writes it. Optional fields appear only where they are set. */
export function formatImagesLock(lock: ImagesLock): string {
  const lines = [
    `apiVersion: ${LOCK_API_VERSION}`,
    `kind: ${LOCK_KIND}`,
    ...formatMetadata(lock.metadata),
    'chart:',
    formatField('  name', lock.chart.name),
    formatField('  version', lock.chart.version),
    formatField('  appVersion', lock.chart.appVersion),
    ...(lock.images.length === 0 ? ['images: []'] : ['images:', ...lock.images.flatMap(formatImage)]),
  ];
  return `${lines.join('\n')}\n`;
}

function formatMetadata(metadata: Readonly<Record<string, string>>): string[] {
  const entries = Object.entries(metadata).sort(([left], [right]) => (left < right ? -1 : 1));
  if (entries.length === 0) return ['metadata: {}'];
  return ['metadata:', ...entries.map(([key, value]) => formatField(`  ${formatYamlScalar(key)}`, value))];
}

function formatImage(image: LockImage): string[] {
  return [
    formatField('  - name', image.name),
    formatField('    image', image.image),
    formatField('    chart', image.chart),
    ...(image.digests.length === 0 ? ['    digests: []'] : ['    digests:', ...image.digests.flatMap(formatDigest)]),
    ...formatOptionalField('    indexDigest', image.indexDigest),
    ...formatOptionalField('    targetIndexDigest', image.targetIndexDigest),
  ];
}

function formatDigest(digest: LockDigest): string[] {
  return [
    formatField('      - digest', digest.digest),
    formatField('        arch', digest.arch),
    ...formatOptionalField('        variant', digest.variant),
  ];
}

function formatField(key: string, value: string): string {
  return `${key}: ${formatYamlScalar(value)}`;
}

function formatOptionalField(key: string, value: string | undefined): string[] {
  return value === undefined ? [] : [formatField(key, value)];
}

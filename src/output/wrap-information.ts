import { formatBytes, formatCount } from '../domain/format-quantity.ts';
import { formatLockPlatform, type LockImage } from '../domain/lock/images-lock.ts';
import type { WrapInformation } from '../workflows/inspect-wrap.ts';
import { formatLine, INDENTATION, SYMBOLS, toSafeText } from './line-format.ts';

/** The report of `info` for people. With `isDetailed` every platform is shown with its digest. */
export function formatWrapInformation(information: WrapInformation, options: { readonly isDetailed: boolean }): string {
  const { lock, sizeBytes } = information;
  const { name, version, appVersion } = lock.chart;
  return [
    title(0, 'Wrap Information'),
    item(1, `Chart: ${name}`),
    item(1, `Version: ${version}`),
    item(1, `App Version: ${appVersion}`),
    ...(sizeBytes === undefined ? [] : [item(1, `Size: ${formatBytes(sizeBytes)}`)]),
    ...formatContents(information),
    title(1, 'Metadata'),
    ...Object.entries(lock.metadata)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, value]) => item(2, `- ${key}: ${value}`)),
    title(1, 'Images'),
    ...lock.images.flatMap((image) => (options.isDetailed ? formatDetails(image) : [formatImage(image)])),
  ].join('\n');
}

function formatContents({ document }: WrapInformation): string[] {
  if (document === undefined) return [];
  const sizeBytes = document.blobs.reduce((sum, { size }) => sum + size, 0);
  return [item(1, `Content: ${formatCount(document.blobs.length, 'blob')}, ${formatBytes(sizeBytes)}`)];
}

function formatImage({ image, digests }: LockImage): string {
  return item(2, `${image} (${digests.map(formatLockPlatform).join(', ')})`);
}

function formatDetails({ chart, name, image, digests }: LockImage): string[] {
  return [
    title(2, `${chart}/${name}`),
    item(3, `Image: ${image}`),
    item(3, 'Digests'),
    ...digests.flatMap((digest) => [
      item(3, `- Arch: ${formatLockPlatform(digest)}`),
      item(3, `  Digest: ${digest.digest}`),
    ]),
  ];
}

function title(level: number, text: string): string {
  return formatLine(level, SYMBOLS.section, text);
}

function item(level: number, text: string): string {
  return `${' '.repeat((level + 1) * INDENTATION)} ${toSafeText(text)}`;
}

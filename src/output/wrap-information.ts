import { formatBytes, formatCount } from '../domain/format-quantity.ts';
import { formatLockPlatform, type LockImage } from '../domain/lock/images-lock.ts';
import type { WrapInformation, WrappedLock } from '../workflows/inspect-wrap.ts';
import { formatLine, INDENTATION, SYMBOLS, toSafeText } from './line-format.ts';

/** The report of `info` for people. With `isDetailed` every platform is shown with its digest. */
export function formatWrapInformation(information: WrapInformation, options: { readonly isDetailed: boolean }): string {
  const { locks, sizeBytes } = information;
  return [
    title(0, 'Wrap Information'),
    ...locks.flatMap((wrapped, index) => [
      ...formatChart(wrapped),
      ...(index === 0 && sizeBytes !== undefined ? [item(1, `Size: ${formatBytes(sizeBytes)}`)] : []),
      ...(index === 0 ? formatContents(information) : []),
      title(1, 'Metadata'),
      ...Object.entries(wrapped.lock.metadata)
        .sort(([left], [right]) => (left < right ? -1 : 1))
        .map(([key, value]) => item(2, `- ${key}: ${value}`)),
      title(1, 'Images'),
      ...wrapped.lock.images.flatMap((image) => (options.isDetailed ? formatDetails(image) : [formatImage(image)])),
    ]),
  ].join('\n');
}

/** A wrap of single images has a lock without a chart. */
function formatChart({ lock: { chart } }: WrappedLock): string[] {
  if (chart.name === '') return [];
  return [
    item(1, `Chart: ${chart.name}`),
    item(1, `Version: ${chart.version}`),
    item(1, `App Version: ${chart.appVersion}`),
  ];
}

function formatContents({ document }: WrapInformation): string[] {
  if (document === undefined) return [];
  const sizeBytes = document.blobs.reduce((sum, { size }) => sum + size, 0);
  const artifacts = new Set(
    [...document.images, ...document.charts].flatMap(({ attached = [] }) => attached.map(({ digest }) => digest)),
  );
  return [
    item(1, `Content: ${formatCount(document.blobs.length, 'blob')}, ${formatBytes(sizeBytes)}`),
    ...(artifacts.size === 0
      ? []
      : [
          item(
            1,
            `Attached: ${formatCount(artifacts.size, 'signature or other artifact', 'signatures and other artifacts')}`,
          ),
        ]),
  ];
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

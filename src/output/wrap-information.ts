import { formatBytes, formatCount } from '../domain/format-quantity.ts';
import { formatLockPlatform, type ImagesLock, type LockImage } from '../domain/lock/images-lock.ts';
import { findWrappedImage } from '../domain/wrap/contained-images.ts';
import { summarizeOmitted, type WrapDocument, type WrappedImage } from '../domain/wrap/wrap-document.ts';
import type { WrapInformation, WrappedLock } from '../workflows/inspect-wrap.ts';
import { alignColumns } from './align-columns.ts';
import { formatItem, formatLine, shortenDigest, SYMBOLS, toSafeText } from './line-format.ts';

/** The report of `info` for people. With `isDetailed` every platform is shown with its digest. */
export function formatWrapInformation(information: WrapInformation, options: { readonly isDetailed: boolean }): string {
  const { locks, sizeBytes } = information;
  return [
    title(0, 'Wrap Information'),
    ...locks.flatMap((wrapped, index) => [
      ...formatChart(wrapped),
      ...(index === 0 && sizeBytes !== undefined ? [formatItem(1, `Size: ${formatBytes(sizeBytes)}`)] : []),
      ...(index === 0 ? formatContents(information) : []),
      title(1, 'Metadata'),
      ...Object.entries(wrapped.lock.metadata)
        .sort(([left], [right]) => (left < right ? -1 : 1))
        .map(([key, value]) => formatItem(2, `- ${key}: ${value}`)),
      title(1, 'Images'),
      ...(options.isDetailed
        ? wrapped.lock.images.flatMap(formatDetails)
        : formatImages(wrapped.lock, information.document)),
    ]),
  ].join('\n');
}

/** A wrap of single images has a lock without a chart. */
function formatChart({ lock: { chart } }: WrappedLock): string[] {
  if (chart.name === '') return [];
  return [
    formatItem(1, `Chart: ${chart.name}`),
    formatItem(1, `Version: ${chart.version}`),
    formatItem(1, `App Version: ${chart.appVersion}`),
  ];
}

function formatContents({ document }: WrapInformation): string[] {
  if (document === undefined) return [];
  const held = document.blobs.filter(({ path }) => path !== undefined);
  const heldBytes = held.reduce((sum, { size }) => sum + size, 0);
  const omitted = summarizeOmitted(document);
  const artifacts = new Set(
    [...document.images, ...document.charts].flatMap(({ attached = [] }) => attached.map(({ digest }) => digest)),
  );
  return [
    formatItem(1, `Content: ${formatCount(held.length, 'blob')}, ${formatBytes(heldBytes)}`),
    ...(omitted === undefined
      ? []
      : [
          formatItem(1, `Delta to: ${omitted.bases.join(', ')}`),
          formatItem(1, `Left out: ${formatCount(omitted.blobCount, 'blob')}, ${formatBytes(omitted.blobBytes)}`),
        ]),
    ...(artifacts.size === 0
      ? []
      : [
          formatItem(
            1,
            `Attached: ${formatCount(artifacts.size, 'signature or other artifact', 'signatures and other artifacts')}`,
          ),
        ]),
  ];
}

/** What the Go tool prints comes first; in columns beside it what only our own format knows. */
function formatImages({ chart, images }: ImagesLock, document: WrapDocument | undefined): readonly string[] {
  const rows = images.map((image) => {
    const wrapped = findWrappedImage(document, chart, image);
    const label = `${image.image} (${image.digests.map(formatLockPlatform).join(', ')})`;
    return [label, ...describeContent(wrapped)].map(toSafeText);
  });
  return alignColumns(rows).map((line) => formatItem(2, line));
}

function describeContent(wrapped: WrappedImage | undefined): string[] {
  if (wrapped?.digest === undefined) return [];
  const { digest, isFiltered = false, attached = [] } = wrapped;
  const notes = [
    ...(isFiltered ? ['some platforms'] : []),
    ...(attached.length === 0 ? [] : [`${String(attached.length)} attached`]),
  ];
  return [shortenDigest(digest), notes.join(', ')];
}

function formatDetails({ chart, name, image, digests }: LockImage): string[] {
  return [
    title(2, `${chart}/${name}`),
    formatItem(3, `Image: ${image}`),
    formatItem(3, 'Digests'),
    ...digests.flatMap((digest) => [
      formatItem(3, `- Arch: ${formatLockPlatform(digest)}`),
      formatItem(3, `  Digest: ${digest.digest}`),
    ]),
  ];
}

function title(level: number, text: string): string {
  return formatLine(level, SYMBOLS.section, text);
}

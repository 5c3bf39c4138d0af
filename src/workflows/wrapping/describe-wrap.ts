import type { AttachedGraph } from '../../content/image-content.ts';
import { listLockPlatforms } from '../../domain/lock/images-lock.ts';
import { digestOf } from '../../domain/oci/digest.ts';
import {
  CHART_FOLDER,
  WRAP_FORMAT_VERSION,
  type WrapDocument,
  type WrappedBlob,
  type WrappedChart,
  type WrappedImage,
} from '../../domain/wrap/wrap-document.ts';
import type { WrapBase } from '../../domain/wrap/wrap-base.ts';
import type { ImageToWrap } from './layout-writer.ts';
import type { NamedImage, WrapFolder } from './wrap-folder.ts';

/** What `.dt/wrap.json` says of the folders; of a delta, with its bases. */
export function describeFolders(
  folders: readonly WrapFolder[],
  blobs: readonly WrappedBlob[],
  bases: readonly WrapBase[] | undefined,
): WrapDocument {
  const charts = folders.flatMap(describeChart);
  return {
    formatVersion: WRAP_FORMAT_VERSION,
    kind: charts.length === 0 ? 'container' : 'chart',
    charts,
    images: folders.flatMap((folder) => folder.images.map((image) => describeImage(image, folder, folders.length > 1))),
    blobs,
    ...(bases === undefined ? {} : { bases }),
  };
}

function describeChart({ name, chart }: WrapFolder): WrappedChart[] {
  if (chart === undefined) return [];
  const { archive, provenance, manifest, config } = chart.origin;
  return [
    {
      name: chart.metadata.name,
      version: chart.metadata.version,
      appVersion: chart.metadata.appVersion,
      path: `${name}/${CHART_FOLDER}`,
      ...withoutUndefined({
        archive: archive && digestOf(archive),
        provenance: provenance && digestOf(provenance),
        manifest: manifest?.descriptor.digest,
        config: config && digestOf(config),
      }),
      ...describeAttached(chart.attached),
    },
  ];
}

function describeImage(
  { lockImage, ...content }: ImageToWrap | NamedImage,
  folder: WrapFolder,
  isOneOfSeveral: boolean,
): WrappedImage {
  return {
    chart: lockImage.chart,
    name: lockImage.name,
    reference: lockImage.image,
    ...('graph' in content ? { digest: content.graph.root.descriptor.digest } : {}),
    ...('graph' in content && content.isFiltered ? { isFiltered: true } : {}),
    platforms: listLockPlatforms(lockImage),
    ...('graph' in content ? describeAttached(content.attached) : {}),
    ...(isOneOfSeveral ? { folder: folder.name } : {}),
  };
}

function describeAttached(attached: readonly AttachedGraph[]): Pick<WrappedImage, 'attached'> {
  return attached.length === 0 ? {} : { attached: attached.map(({ artifact }) => artifact) };
}

function withoutUndefined<T extends object>(values: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>;
  };
}

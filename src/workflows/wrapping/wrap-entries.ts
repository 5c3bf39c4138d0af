import type { WrapEntry } from '../../archive/wrap-plan.ts';
import { formatDiscovery } from '../../domain/discovery/discovery-document.ts';
import { attachedTag, type AttachedTagSuffix } from '../../domain/oci/attached-artifact.ts';
import type { Descriptor } from '../../domain/oci/descriptor.ts';
import { digestOf, type Digest } from '../../domain/oci/digest.ts';
import {
  MEDIA_TYPE_HELM_CHART,
  MEDIA_TYPE_HELM_CONFIG,
  MEDIA_TYPE_HELM_PROVENANCE,
} from '../../domain/oci/media-types.ts';
import type { WrapBase } from '../../domain/wrap/wrap-base.ts';
import { goArtifactPath } from '../../domain/wrap/go-artifact-paths.ts';
import {
  CHART_FOLDER,
  CHART_ORIGIN_FOLDER,
  formatWrapDocument,
  IMAGES_FOLDER,
  WRAP_DISCOVERY_PATH,
  WRAP_DOCUMENT_PATH,
  wrapFolder,
} from '../../domain/wrap/wrap-document.ts';
import { describeFolders } from './describe-wrap.ts';
import { chartEntries, fileEntry } from './file-entry.ts';
import { LayoutWriter, type ImageToWrap, type LayoutOptions } from './layout-writer.ts';
import { requireReadableTogether } from './require-readable.ts';
import { lockPath, type WrapFolder } from './wrap-folder.ts';

const FOLDER_MODE = 0o755;

export interface WrapContents {
  readonly entries: readonly WrapEntry[];
  /** Where `.dt/` lies. */
  readonly topFolder: string;
  /** Large blobs that several platform layouts share: the Go tool cannot read them from a link. */
  readonly sharedLargeBlobs: readonly Descriptor[];
}

/**
 * Lays out the tree of a wrap: wrap.json, then the locks and charts, layout files, manifests, other small entries, large
 * blobs, links. The first folder has `.dt/`. Throws DT_LIMIT_EXCEEDED.
 */
export function buildWrapEntries(
  folders: readonly [WrapFolder, ...WrapFolder[]],
  options: LayoutOptions & { readonly bases?: readonly WrapBase[] | undefined },
): WrapContents {
  const [{ name: topFolder }] = folders;
  const layouts = new LayoutWriter(options);
  for (const { name, images } of folders) {
    for (const image of contentOf(images)) layouts.addPlatformLayouts(`${name}/${IMAGES_FOLDER}`, image);
  }
  for (const { name, images } of folders) {
    for (const image of contentOf(images)) {
      layouts.addIndexLayout(`${name}/${IMAGES_FOLDER}`, image);
      for (const { graph } of image.attached) layouts.addLayout(`${name}/${IMAGES_FOLDER}`, graph);
      if (options.isCompatible) addGoArtifacts(name, image, layouts);
    }
  }
  const origins = folders.flatMap((folder) => describeOrigin(folder, layouts));
  const document = describeFolders(folders, layouts.blobs(), options.bases);
  const documentBytes = formatWrapDocument(document);
  requireReadableTogether(folders, documentBytes.length, topFolder);
  const discoveries = folders.flatMap(({ name, chart }) =>
    chart === undefined ? [] : [{ folder: name, ...chart.discovery }],
  );
  const entries: WrapEntry[] = [
    fileEntry(`${topFolder}/${WRAP_DOCUMENT_PATH}`, documentBytes),
    ...folders.flatMap(folderEntries),
    ...layouts.layoutFiles,
    ...layouts.manifests,
    ...layouts.smallBlobs,
    ...(document.kind === 'container'
      ? []
      : [fileEntry(`${topFolder}/${WRAP_DISCOVERY_PATH}`, formatDiscovery(discoveries))]),
    ...origins,
    ...layouts.largeBlobs,
    ...layouts.links,
  ];
  return { entries, topFolder, sharedLargeBlobs: [...layouts.sharedLargeBlobs.values()] };
}

function contentOf(images: WrapFolder['images']): ImageToWrap[] {
  return images.filter((image): image is ImageToWrap => 'graph' in image);
}

function folderEntries({ name, chart, lockText }: WrapFolder): WrapEntry[] {
  const lock = fileEntry(lockPath(name, chart !== undefined), Buffer.from(lockText));
  if (chart === undefined) return [lock];
  const path = `${name}/${CHART_FOLDER}`;
  return [lock, { kind: 'directory', path, mode: FOLDER_MODE }, ...chartEntries(chart.tree, path)];
}

/** Signatures and metadata where the Go dt looks for them. */
function addGoArtifacts(folder: string, { lockImage, graph, attached }: ImageToWrap, layouts: LayoutWriter): void {
  const add = (subject: Digest, suffix: AttachedTagSuffix, path: string): Digest | undefined => {
    const found = attached.find(({ artifact: { tag } }) => tag === attachedTag(subject, suffix));
    if (found !== undefined) layouts.addLayoutAt(path, found.graph);
    return found?.artifact.digest;
  };
  const inner = goArtifactPath(lockImage);
  if (inner === undefined) return;
  const path = `${folder}/${inner}`;
  add(graph.root.descriptor.digest, 'sig', `${path}.sig`);
  const metadata = add(graph.root.descriptor.digest, 'metadata', `${path}.metadata`);
  if (metadata !== undefined) add(metadata, 'sig', `${path}.metadata.sig`);
}

/** The files that the chart came as, and the layouts of what is attached to it. */
function describeOrigin({ name, chart }: WrapFolder, layouts: LayoutWriter): WrapEntry[] {
  if (chart === undefined) return [];
  const folder = `${name}/${CHART_ORIGIN_FOLDER}`;
  const { archive, provenance, manifest, config } = chart.origin;
  const archiveName = `${wrapFolder(chart.metadata)}.tgz`;
  for (const { graph } of chart.attached) layouts.addLayout(folder, graph);
  const files: readonly (readonly [string, Descriptor | undefined, Uint8Array | undefined])[] = [
    [archiveName, describeBytes(MEDIA_TYPE_HELM_CHART, archive), archive],
    [`${archiveName}.prov`, describeBytes(MEDIA_TYPE_HELM_PROVENANCE, provenance), provenance],
    ['manifest.json', manifest?.descriptor, manifest?.bytes],
    ['config.json', describeBytes(MEDIA_TYPE_HELM_CONFIG, config), config],
  ];
  return files.flatMap(([fileName, descriptor, bytes]) => {
    if (descriptor === undefined || bytes === undefined) return [];
    const path = `${folder}/${fileName}`;
    layouts.note(descriptor, path);
    return [fileEntry(path, bytes)];
  });
}

function describeBytes(mediaType: string, bytes: Uint8Array | undefined): Descriptor | undefined {
  return bytes === undefined ? undefined : { mediaType, digest: digestOf(bytes), size: bytes.length };
}

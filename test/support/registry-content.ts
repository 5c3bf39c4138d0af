import { MEDIA_TYPE_HELM_CHART } from '../../src/domain/oci/media-types.ts';
import { readArchiveFiles } from './archives.ts';
import { digestOf } from '../../src/domain/oci/digest.ts';

export interface StoredManifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
  readonly manifest: {
    readonly config?: { readonly digest: string; readonly mediaType: string };
    readonly layers?: readonly { readonly digest: string; readonly mediaType: string }[];
    readonly manifests?: readonly { readonly digest: string }[];
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

/** What a tag or digest holds, or undefined if the registry has no such thing. The digest is calculated here. */
export async function readStoredManifest(
  host: string,
  repository: string,
  tagOrDigest: string,
  authorization?: string,
): Promise<StoredManifest | undefined> {
  const response = await fetch(`http://${host}/v2/${repository}/manifests/${tagOrDigest}`, {
    headers: {
      accept: [
        'application/vnd.oci.image.index.v1+json',
        'application/vnd.oci.image.manifest.v1+json',
        'application/vnd.docker.distribution.manifest.list.v2+json',
        'application/vnd.docker.distribution.manifest.v2+json',
      ].join(','),
      ...(authorization === undefined ? {} : { authorization }),
    },
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  if (response.status === 404) return undefined;
  if (response.status !== 200) throw new Error(`GET ${response.url}: ${String(response.status)} ${bytes.toString()}`);
  const mediaType = response.headers.get('content-type') ?? '';
  return {
    digest: digestOf(bytes),
    mediaType,
    bytes,
    manifest: JSON.parse(bytes.toString()) as StoredManifest['manifest'],
  };
}

/** All `REPOSITORY:TAG` of a registry with the digest of each. */
export async function listTags(host: string): Promise<Map<string, string>> {
  const tags = new Map<string, string>();
  const { repositories } = (await (await fetch(`http://${host}/v2/_catalog?n=1000`)).json()) as {
    repositories: string[];
  };
  for (const repository of repositories) {
    const response = await fetch(`http://${host}/v2/${repository}/tags/list?n=1000`);
    const list = response.status === 200 ? ((await response.json()) as { tags: string[] | null }).tags : null;
    for (const tag of list ?? []) {
      const stored = await readStoredManifest(host, repository, tag);
      if (stored !== undefined) tags.set(`${repository}:${tag}`, stored.digest);
    }
  }
  return tags;
}

export async function readStoredBlob(host: string, repository: string, digest: string): Promise<Buffer> {
  const response = await fetch(`http://${host}/v2/${repository}/blobs/${digest}`);
  if (response.status !== 200) throw new Error(`GET ${response.url}: ${String(response.status)}`);
  return Buffer.from(await response.arrayBuffer());
}

export interface StoredChart {
  readonly digest: string;
  /** Paths below the chart folder. */
  readonly files: ReadonlyMap<string, Buffer>;
  readonly config: unknown;
}

/** A chart as a registry holds it. */
export async function readStoredChart(host: string, repository: string, tag: string): Promise<StoredChart> {
  const stored = await readStoredManifest(host, repository, tag);
  const layer = stored?.manifest.layers?.find(({ mediaType }) => mediaType === MEDIA_TYPE_HELM_CHART);
  const config = stored?.manifest.config;
  if (stored === undefined || layer === undefined || config === undefined)
    throw new Error(`${repository}:${tag} is no chart`);
  return {
    digest: stored.digest,
    files: await readArchiveFiles(await readStoredBlob(host, repository, layer.digest)),
    config: JSON.parse((await readStoredBlob(host, repository, config.digest)).toString()),
  };
}

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { digestOf } from '../../src/domain/oci/digest.ts';
import { recordedOutput, type GoldenCase } from '../support/golden.ts';
import { listTags, readStoredBlob, readStoredManifest, type StoredManifest } from '../support/registry-content.ts';
import { readArchive } from '../support/archives.ts';
import { requireComplete } from './compare-registry.ts';

/** How an image, or what a repository holds, differs from what imgpkg wrote. */
export interface BundleDifference {
  readonly reason: string;
  readonly withoutEntries?: readonly string[];
  readonly ignoresFolderModes?: boolean;
  /** Tags that only we write. */
  readonly moreTags?: readonly string[];
}

interface RecordedTag {
  readonly digest: string;
  readonly manifest: StoredManifest['manifest'];
}

interface RecordedImage {
  readonly digest: string;
  readonly manifestBytes: string;
  readonly configBytes: string;
  readonly layers: readonly { readonly entries: readonly RecordedEntry[] }[];
}

interface RecordedEntry {
  readonly name: string;
  readonly type: string;
  readonly mode: string;
  readonly size: number;
}

type Differences = Readonly<Record<string, BundleDifference>>;

/**
 * The same tags, each with the recorded digest and everything below it. What we compress ourselves has other digests: its layer unpacks to the
 * recorded bytes, and config and manifest are equal but for the digest and size of the layer.
 */
export async function compareBundleRegistry(
  host: string,
  goldenCase: GoldenCase,
  differences: Differences,
): Promise<void> {
  const read = (name: string): unknown => JSON.parse(readFileSync(recordedOutput(goldenCase, name), 'utf8'));
  const recorded = read('registry-5102.json') as Record<string, Record<string, RecordedTag>>;
  const images = readImages(goldenCase);
  const tags = await listTags(host);
  const replaced = new Map<string, string>();
  for (const [repository, ofRepository] of Object.entries(recorded)) {
    for (const [tag, { digest }] of Object.entries(ofRepository)) {
      const name = `${repository}:${tag}`;
      const own = tags.get(name);
      const isOurs = images[name] !== undefined || tag.endsWith('.image-locations.imgpkg');
      if (!isOurs || own === undefined || own === digest) continue;
      const stored = await readStoredManifest(host, repository, own);
      assert.ok(stored !== undefined);
      if (images[name] !== undefined)
        await compareImage(host, { name, repository, stored }, images[name], differences[name] ?? {});
      replaced.set(digest, own);
    }
  }
  const expected = new Map<string, string>();
  for (const [repository, ofRepository] of Object.entries(recorded)) {
    for (const [tag, { digest }] of Object.entries(ofRepository)) {
      expected.set(`${repository}:${replaceTagDigest(tag, replaced)}`, replaced.get(digest) ?? digest);
    }
    const more = (differences[repository]?.moreTags ?? []).map((tag) => `${repository}:${tag}`);
    for (const name of more) expected.set(name, tags.get(name) ?? 'missing');
  }
  const own = [...tags].filter(([name]) =>
    Object.keys(recorded).some((repository) => name.startsWith(`${repository}:`)),
  );
  assert.deepEqual(new Map(own.sort()), new Map([...expected].sort()));
  for (const name of expected.keys()) {
    const colon = name.lastIndexOf(':');
    await requireComplete(host, name.slice(0, colon), name.slice(colon + 1)).catch((error: unknown) => {
      // Its layer may lie elsewhere.
      if (!isForeign(recorded, name)) throw error;
    });
  }
}

function isForeign(recorded: Record<string, Record<string, RecordedTag>>, name: string): boolean {
  const colon = name.lastIndexOf(':');
  const layers = recorded[name.slice(0, colon)]?.[name.slice(colon + 1)]?.manifest.layers ?? [];
  return layers.some(({ mediaType }) => mediaType.includes('.foreign.'));
}

function readImages(goldenCase: GoldenCase): Record<string, RecordedImage> {
  try {
    return JSON.parse(readFileSync(recordedOutput(goldenCase, 'images.json'), 'utf8')) as Record<string, RecordedImage>;
  } catch {
    return {};
  }
}

async function compareImage(
  host: string,
  { name, repository, stored }: { readonly name: string; readonly repository: string; readonly stored: StoredManifest },
  recorded: RecordedImage,
  difference: Partial<BundleDifference>,
): Promise<void> {
  const [layer] = stored.manifest.layers ?? [];
  assert.ok(layer !== undefined && stored.manifest.config !== undefined);
  const bytes = await readStoredBlob(host, repository, layer.digest);
  assert.equal(bytes.subarray(0, 10).toString('hex'), '1f8b08000000000004ff', name);
  const config = (await readStoredBlob(host, repository, stored.manifest.config.digest)).toString();
  const isSame = difference.reason === undefined;
  if (isSame) assert.equal(config, recorded.configBytes, `${name}: the layer unpacks to other bytes`);
  else assert.equal(withoutDigests(config), withoutDigests(recorded.configBytes), name);
  assert.ok(config.includes(digestOf(gunzipSync(bytes))), name);
  assert.equal(withoutLayer(stored.bytes.toString()), withoutLayer(recorded.manifestBytes), name);
  const own = (await readArchive(bytes)).map(({ name: path, type, mode, bytes: content }) => ({
    name: path,
    type: type === 'directory' ? 'dir' : type,
    mode: `0o${mode.toString(8)}`,
    size: content.length,
  }));
  assert.deepEqual(describe(own, difference), describe(recorded.layers[0]?.entries ?? [], difference), name);
}

function describe(entries: readonly RecordedEntry[], difference: Partial<BundleDifference>): readonly unknown[] {
  return entries
    .filter(({ name }) => difference.withoutEntries?.includes(name) !== true)
    .map(({ name, type, mode, size }) => [
      name,
      type,
      difference.ignoresFolderModes === true && type === 'dir' ? '' : mode,
      size,
    ]);
}

function withoutDigests(text: string): string {
  return text.replaceAll(/sha256:[0-9a-f]{64}/g, 'DIGEST');
}

/** The digest of the config follows from that of the layer where that unpacks to something else. */
function withoutLayer(text: string): string {
  const [start = '', layers = ''] = text.split('"layers":');
  return withoutDigests(start) + withoutDigests(layers).replace(/"size":\d+/, '"size":0');
}

function replaceTagDigest(tag: string, replaced: ReadonlyMap<string, string>): string {
  const digest = replaced.get(tag.replace(/^(sha256)-([0-9a-f]{64})\..+$/, '$1:$2'));
  return digest === undefined ? tag : tag.replace(/^sha256-[0-9a-f]{64}/, digest.replace(':', '-'));
}

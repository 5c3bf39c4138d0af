import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseYaml } from '../../src/domain/yaml/parse-yaml.ts';
import { readCarvelLock } from '../support/carvel-lock.ts';
import { readStoredManifest } from '../support/registry-content.ts';

const LOCK = '.imgpkg/images.yml';
const METADATA = '.imgpkg/bundle.yml';

interface RecordedMetadata {
  readonly version: { readonly apiversion: string; readonly kind: string };
  readonly metadata: Readonly<Record<string, string>>;
  readonly authors: readonly { readonly name: string; readonly email: string }[];
  readonly websites: readonly { readonly url: string }[];
}

/** Compares the bundle in a chart folder with the recorded one. */
export async function compareBundles(own: string, recorded: string): Promise<void> {
  const [lock, recordedLock, metadata, recordedMetadata] = await Promise.all([
    readFile(join(own, LOCK)),
    readFile(join(recorded, LOCK)),
    readFile(join(own, METADATA)),
    readFile(join(recorded, METADATA)),
  ]);
  await compareCarvelLocks(lock, recordedLock);
  compareBundleMetadata(metadata, recordedMetadata);
}

/** The same images in the same order. Where the Go tool names the manifest of one platform, we name the index that has it. */
async function compareCarvelLocks(own: Buffer, recorded: Buffer): Promise<void> {
  const [images, recordedImages] = [readCarvelLock(own), readCarvelLock(recorded)];
  const withoutDigest = (list: typeof images): unknown[] =>
    list.map(({ image, annotations }) => [image.replace(/@.*/, ''), annotations]);
  assert.deepEqual(withoutDigest(images), withoutDigest(recordedImages));
  for (const [position, { reference, image }] of images.entries()) {
    const platform = recordedImages[position]?.reference.digest;
    if (reference.digest === platform) continue;
    const index = await readStoredManifest(reference.registry, reference.repository, reference.digest ?? '');
    const children = index?.manifest.manifests?.map(({ digest }) => digest) ?? [];
    assert.ok(platform !== undefined && children.includes(platform), `${image} is no index with ${String(platform)}`);
  }
}

/** The same facts, where imgpkg documents them, and nothing empty. */
export function compareBundleMetadata(own: Buffer, recorded: Buffer): void {
  const { version, metadata, authors, websites } = parseYaml(recorded.toString(), 'recorded') as RecordedMetadata;
  const people = authors.map(({ name, email }) => (email === '' ? { name } : { name, email }));
  assert.deepEqual(parseYaml(own.toString(), METADATA), {
    apiVersion: version.apiversion,
    kind: version.kind,
    metadata,
    ...(people.length === 0 ? {} : { authors: people }),
    ...(websites.length === 0 ? {} : { websites }),
  });
}

import assert from 'node:assert/strict';
import { isDigest } from '../../src/domain/oci/digest.ts';
import { parseReference, type Reference } from '../../src/domain/oci/reference.ts';
import { isYamlMap, parseYaml } from '../../src/domain/yaml/parse-yaml.ts';

export interface ReadCarvelImage {
  readonly image: string;
  readonly reference: Reference;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * Reads an ImagesLock as strictly as imgpkg, which refuses fields that it does not know and images without a digest, and kbld, which
 * needs the id of every image.
 */
export function readCarvelLock(content: Uint8Array | string): readonly ReadCarvelImage[] {
  const text = Buffer.from(content).toString();
  assert.ok(text.startsWith('---\n'), text);
  const document = requireFields(parseYaml(text, 'images.yml'), ['apiVersion', 'images', 'kind']);
  assert.equal(document['apiVersion'], 'imgpkg.carvel.dev/v1alpha1');
  assert.equal(document['kind'], 'ImagesLock');
  assert.ok(Array.isArray(document['images']));
  return document['images'].map((item: unknown) => {
    const { image, annotations } = requireFields(item, ['annotations', 'image']);
    assert.ok(typeof image === 'string' && isYamlMap(annotations));
    const reference = parseReference(image);
    assert.ok(reference.digest !== undefined && reference.tag === undefined && isDigest(reference.digest), image);
    assert.ok(Object.values(annotations).every((value) => typeof value === 'string'));
    assert.ok(annotations['kbld.carvel.dev/id'], `${image} has no id`);
    return { image, reference, annotations: annotations as Record<string, string> };
  });
}

/** Id and digest of every image. */
export function listCarvelDigests(content: Uint8Array | string): Record<string, string | undefined> {
  return Object.fromEntries(
    readCarvelLock(content).map(({ reference, annotations }) => [
      annotations['kbld.carvel.dev/id'] ?? '',
      reference.digest,
    ]),
  );
}

function requireFields(value: unknown, fields: readonly string[]): Record<string, unknown> {
  assert.ok(isYamlMap(value), JSON.stringify(value));
  assert.deepEqual(Object.keys(value), fields);
  return value;
}

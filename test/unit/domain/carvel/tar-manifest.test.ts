import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { BundleTarReader } from '../../../../src/archive/bundle-tar-reader.ts';
import { formatTarManifest } from '../../../../src/domain/carvel/tar-manifest.ts';
import { parseTarManifest } from '../../../../src/domain/carvel/parse-tar-manifest.ts';
import { manifestSuccessors, parseManifest } from '../../../../src/domain/oci/manifest.ts';
import type { ManifestContent } from '../../../../src/domain/oci/descriptor.ts';
import { GOLDEN_ROOT } from '../../../support/golden.ts';

for (const file of [
  'copy-to-tar/output/guestbook-bundle.tar',
  'copy-images-lock-and-image/output/image.tar',
  'signatures-and-special-images/output/s.tar',
  'repo-based-tags/input/n.tar',
]) {
  test(`the table of contents of ${file} is read, and written again byte for byte`, async () => {
    const path = join(GOLDEN_ROOT, 'imgpkg', file);
    const reader = await BundleTarReader.open(path);
    const bytes = await reader.readTarManifest();
    await reader.close();
    assert.ok((await readFile(path)).includes(bytes));
    const { images, manifests, configs } = parseTarManifest(bytes, file);
    const below = (content: ManifestContent): ManifestContent[] => {
      const manifest = parseManifest(content);
      if (manifest.kind !== 'index') return [];
      const children = manifestSuccessors(manifest).flatMap(({ digest }) => manifests.get(digest) ?? []);
      return children.flatMap((child) => [child, ...below(child)]);
    };
    const again = formatTarManifest(
      images.map(({ digest, tag = '', ...image }) => {
        const root = manifests.get(digest);
        assert.ok(root !== undefined);
        return { ...image, tag, root, manifests: below(root), configs };
      }),
    );
    assert.equal(again, bytes.toString());
  });
}

import { test } from 'node:test';
import { assertWrapRefused } from '../support/assert-refused.ts';
import { forgeWrap, replaceBlob } from '../support/forged-wraps.ts';

const ABSENT = `sha256:${'0'.repeat(64)}`;

test('an attached artifact that is not in the wrap is refused', async () => {
  const wrap = await forgeWrap('attached', ({ images }) => {
    Object.assign(images[0]?.attached?.[0] ?? {}, { digest: ABSENT });
    return undefined;
  });
  await assertWrapRefused(wrap, ['DT_WRAP_INCOMPLETE'], { throughProgram: false });
});

test('an attached artifact of the chart that is not in the wrap is refused', async () => {
  const wrap = await forgeWrap('attached', ({ charts }) => {
    Object.assign(charts[0]?.attached?.[0] ?? {}, { digest: ABSENT });
    return undefined;
  });
  await assertWrapRefused(wrap, ['DT_WRAP_INCOMPLETE'], { throughProgram: false });
});

test('a signature whose manifest names a blob that is not there is refused', async () => {
  const wrap = await forgeWrap('attached', (document, pieces) => {
    const digest = document.images[0]?.attached?.[0]?.digest ?? '';
    return replaceBlob(document, pieces, digest, (manifest) => {
      const parsed = JSON.parse(manifest.toString()) as { layers: { digest: string }[] };
      for (const layer of parsed.layers) layer.digest = ABSENT;
      return Buffer.from(JSON.stringify(parsed));
    });
  });
  await assertWrapRefused(wrap, ['DT_WRAP_INCOMPLETE'], { throughProgram: false });
});

test('a signature that is no manifest is refused', async () => {
  const wrap = await forgeWrap('attached', ({ images, blobs }) => {
    const layer = blobs.find(({ mediaType }) => mediaType.includes('simplesigning'));
    Object.assign(images[0]?.attached?.[0] ?? {}, { digest: layer?.digest });
    return undefined;
  });
  await assertWrapRefused(wrap, ['DT_MANIFEST_INVALID'], { throughProgram: false });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ErrorCode } from '../../src/domain/errors.ts';
import { assertWrapRefused } from '../support/assert-refused.ts';
import { assertKeepRefused, forgeWrap, type ForgedDocument } from '../support/forged-wraps.ts';
import type { WrapPiece } from '../support/hostile-wraps.ts';
import { assertDamaged, verifyBytes } from '../support/verify-wrap.ts';

type ForgedBlob = ForgedDocument['blobs'][number];

const isLargest = (blob: ForgedBlob, { blobs }: ForgedDocument): boolean =>
  blob.size === Math.max(...blobs.map(({ size }) => size));

test('a large layer may be left out', async () => {
  const { result } = await verifyBytes(await forgeDelta('one chart', isLargest));
  assert.equal(result.images.length, 2);
});

for (const [what, seed, isOmitted] of [
  ['an index', 'one chart', ({ digest }, { images }) => digest === images[0]?.digest],
  ['a manifest', 'one chart', ({ digest }, { images }) => digest === images[0]?.platforms[0]?.digest],
  ['a signature', 'attached', ({ digest }, { images }) => digest === images[0]?.attached?.[0]?.digest],
  ['the layer of a signature', 'attached', ({ mediaType }) => mediaType.includes('simplesigning')],
] as const satisfies readonly (readonly [string, string, Omission])[]) {
  test(`${what} may not be left out`, async () => {
    const wrap = await forgeDelta(seed, isOmitted);
    await assertWrapRefused(wrap, ['DT_WRAP_INCOMPLETE'], { throughProgram: false });
    await assertDamaged(wrap, { code: 'DT_WRAP_INCOMPLETE' });
  });
}

test('what a chart came as may not be left out', async () => {
  const wrap = await forgeDelta('attached', ({ digest }, { charts }) => digest === charts[0]?.manifest);
  await assertKeepRefused(wrap, 'DT_WRAP_INCOMPLETE');
  await assertDamaged(wrap, { code: 'DT_WRAP_INCOMPLETE' });
});

for (const [what, code, forge] of [
  ['another size than its manifest says', 'DT_SIZE_MISMATCH', (blob) => (blob.size += 1)],
  ['no place', 'DT_WRAP_INCOMPLETE', (blob) => Reflect.deleteProperty(blob, 'base')],
] as const satisfies readonly (readonly [string, ErrorCode, (blob: ForgedBlob) => unknown])[]) {
  test(`a layer that is left out with ${what} is refused`, async () => {
    const wrap = await forgeDelta('one chart', isLargest, forge);
    await assertWrapRefused(wrap, [code], { throughProgram: false });
    await assertDamaged(wrap, { code });
  });
}

test('an entry for what is said to be left out is refused', async () => {
  const wrap = await forgeWrap('one chart', (document) => {
    omit(document, isLargest);
    return undefined;
  });
  await assertDamaged(wrap, { code: 'DT_WRAP_INVALID' });
});

type Omission = (blob: ForgedBlob, document: ForgedDocument) => boolean;

/** The wrap of this name without some blobs, which are said to lie in a base. */
async function forgeDelta(
  seed: string,
  isOmitted: Omission,
  forge: (blob: ForgedBlob) => unknown = () => undefined,
): Promise<Buffer> {
  return forgeWrap(seed, (document, pieces): WrapPiece[] => {
    const omitted = omit(document, isOmitted);
    for (const blob of omitted) forge(blob);
    const names = omitted.map(({ digest }) => digest.slice('sha256:'.length));
    return pieces.filter(({ header: { name } }) => !names.some((hex) => name.endsWith(`/${hex}`)));
  });
}

function omit(document: ForgedDocument, isOmitted: Omission): ForgedBlob[] {
  const omitted = document.blobs.filter((blob) => isOmitted(blob, document));
  assert.ok(omitted.length > 0);
  for (const blob of omitted) {
    delete blob.path;
    blob.base = { sources: ['source.example.com/library/multi'], targets: [] };
  }
  document.bases = [{ kind: 'wrap', name: 'base.wrap.tgz' }];
  return omitted;
}

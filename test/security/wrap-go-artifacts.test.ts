import { test } from 'node:test';
import { assertWrapRefused } from '../support/assert-refused.ts';
import { forgeForeign } from '../support/forged-wraps.ts';
import { piece, type WrapPiece } from '../support/hostile-wraps.ts';
import type { ErrorCode } from '../../src/domain/errors.ts';

const SIGNATURE = /\/artifacts\/images\/.*\.sig\/index\.json$/;

type Index = { manifests: Record<string, unknown>[] };

function editIndex(pieces: readonly WrapPiece[], edit: (index: Index) => unknown): WrapPiece[] {
  return pieces.map((item) => {
    if (!SIGNATURE.test(item.header.name)) return item;
    const index = JSON.parse(item.content.toString()) as Index;
    return { ...item, content: Buffer.from(JSON.stringify(edit(index) ?? index)) };
  });
}

const FORGERIES: readonly (readonly [name: string, codes: readonly ErrorCode[], edit: (index: Index) => unknown])[] = [
  ['names two manifests', ['DT_WRAP_INVALID'], ({ manifests }) => void manifests.push(...manifests)],
  ['names no manifest', ['DT_WRAP_INVALID'], () => ({ schemaVersion: 2, manifests: [] })],
  [
    'names a manifest that is not there',
    ['DT_WRAP_INCOMPLETE'],
    ({ manifests }) => void Object.assign(manifests[0] ?? {}, { digest: `sha256:${'0'.repeat(64)}` }),
  ],
  [
    'names a path for a digest',
    ['DT_MANIFEST_INVALID', 'DT_WRAP_INVALID'],
    ({ manifests }) => void Object.assign(manifests[0] ?? {}, { digest: 'sha256:../../../x' }),
  ],
  [
    'is an image manifest',
    ['DT_WRAP_INVALID', 'DT_MANIFEST_INVALID'],
    ({ manifests }) => ({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: manifests[0],
      layers: manifests,
    }),
  ],
];

for (const [name, codes, edit] of FORGERIES) {
  test(`an artifact of the Go tool whose index.json ${name} is refused`, async () => {
    const wrap = await forgeForeign('foreign', (pieces) => editIndex(pieces, edit));
    await assertWrapRefused(wrap, codes, { throughProgram: false });
  });
}

test('an artifact that is there twice is refused', async () => {
  const wrap = await forgeForeign('foreign', (pieces) => [
    ...pieces,
    ...pieces.filter(({ header }) => SIGNATURE.test(header.name)),
  ]);
  await assertWrapRefused(wrap, ['DT_UNSAFE_ENTRY'], { throughProgram: false });
});

for (const path of [
  'demo-1.2.3/artifacts/images/../../../evil/index.json',
  '/artifacts/images/demo/multi/1.0.sig/index.json',
  'demo-1.2.3/artifacts/chart/metadata\\..\\x/index.json',
]) {
  test(`an artifact at ${path} is refused`, async () => {
    const wrap = await forgeForeign('foreign', (pieces) => [...pieces, piece(path, '{}')]);
    await assertWrapRefused(wrap, ['DT_UNSAFE_ENTRY'], { throughProgram: false });
  });
}

test('an artifact whose blob is not what its name says is refused', async () => {
  const wrap = await forgeForeign('foreign', (pieces) =>
    pieces.map((item) =>
      /\/artifacts\/images\/.*\.sig\/blobs\//.test(item.header.name) && item.content.length > 2
        ? { ...item, content: Buffer.from(item.content).fill(0x20, 1, 3) }
        : item,
    ),
  );
  await assertWrapRefused(wrap, ['DT_DIGEST_MISMATCH'], { throughProgram: false });
});

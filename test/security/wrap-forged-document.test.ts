import { test } from 'node:test';
import type { ErrorCode } from '../../src/domain/errors.ts';
import { assertWrapRefused } from '../support/assert-refused.ts';
import { assembleWrap, editJson, makeHonestWrap, takeApart } from '../support/hostile-wraps.ts';

interface Blob {
  digest: string;
  size: number;
  mediaType: string;
  path?: string;
}
type Document = Record<string, unknown> & {
  blobs: Blob[];
  images: Record<string, unknown>[];
  charts: Record<string, unknown>[];
};
type Forgery = readonly [name: string, codes: readonly ErrorCode[], edit: (document: Document) => unknown];

const CHART = 'demo-1.2.3/chart';
const largest = ({ blobs }: Document): Blob => blobs.reduce((left, right) => (right.size > left.size ? right : left));
const damage = [
  'DT_DIGEST_MISMATCH',
  'DT_SIZE_MISMATCH',
  'DT_WRAP_INVALID',
  'DT_WRAP_INCOMPLETE',
  'DT_LOCK_MISMATCH',
  'DT_MANIFEST_INVALID',
] as const;

const FORGERIES: readonly Forgery[] = [
  ['another format version', ['DT_WRAP_UNSUPPORTED'], (document) => void (document['formatVersion'] = 2)],
  ['a format version as text', ['DT_WRAP_UNSUPPORTED'], (document) => void (document['formatVersion'] = '1')],
  ['no format version', ['DT_WRAP_UNSUPPORTED'], (document) => delete document['formatVersion'] && undefined],
  ['another kind', ['DT_WRAP_UNSUPPORTED'], (document) => void (document['kind'] = 'bundle')],
  ['a list instead of an object', ['DT_WRAP_INVALID'], () => []],
  ['no charts', ['DT_WRAP_INVALID'], (document) => void (document.charts = [])],
  [
    'a chart path with ".."',
    damage,
    (document) => void (document.charts = [{ ...document.charts[0], path: '../../etc' }]),
  ],
  ['an empty chart path', damage, (document) => void (document.charts = [{ ...document.charts[0], path: '' }])],
  ['no blobs', damage, (document) => void (document.blobs = [])],
  ['a larger size for a large blob', damage, (document) => void (largest(document).size += 1)],
  ['a huge size', damage, (document) => void (largest(document).size = Number.MAX_SAFE_INTEGER)],
  ['a negative size', damage, (document) => void (largest(document).size = -1)],
  [
    'the digest of another blob',
    damage,
    ({ blobs }) =>
      void ([blobs[0], blobs[1]] = [
        { ...blobs[0], digest: blobs[1]?.digest } as Blob,
        { ...blobs[1], digest: blobs[0]?.digest } as Blob,
      ]),
  ],
  ['a digest that is none', damage, (document) => void (largest(document).digest = 'sha256:../../x')],
  [
    'a blob path that is a file of the chart',
    damage,
    (document) => void (largest(document).path = `${CHART}/files/large.bin`),
  ],
  [
    'all blob paths pointing at Chart.yaml',
    damage,
    (document) => {
      for (const blob of document.blobs) blob.path = `${CHART}/Chart.yaml`;
    },
  ],
  ['a blob path that does not exist', damage, (document) => void (largest(document).path = 'nowhere')],
  ['a blob that a base is said to have', damage, (document) => delete largest(document).path && undefined],
  [
    'an image with the digest of another',
    damage,
    ({ images }) =>
      void ([images[0], images[1]] = [
        { ...images[0], digest: images[1]?.['digest'] },
        { ...images[1], digest: images[0]?.['digest'] },
      ]),
  ],
  ['no images', damage, (document) => void (document.images = [])],
  [
    'an image root that is a config',
    damage,
    (document) => {
      for (const image of document.images)
        image['digest'] = document.blobs.find(({ mediaType }) => mediaType.includes('config'))?.digest;
    },
  ],
  [
    'a manifest of 9 MB',
    [...damage, 'DT_LIMIT_EXCEEDED'],
    (document) => {
      for (const blob of document.blobs) if (blob.mediaType.includes('index')) blob.size = 9e6;
    },
  ],
];

for (const [name, codes, edit] of FORGERIES) {
  test(`a wrap.json with ${name} is refused before anything is pushed`, async () => {
    const pieces = await takeApart(await makeHonestWrap());
    const forged = editJson(pieces, '/.dt/wrap.json', (document) => edit(document as Document));
    // What a forged path holds is hashed while it is pushed, when it has the right size; no manifest follows it.
    const throughProgram = [
      'another format version',
      'a larger size for a large blob',
      'a blob path that is a file of the chart',
    ].includes(name);
    await assertWrapRefused(await assembleWrap(forged), codes, { throughProgram });
  });
}

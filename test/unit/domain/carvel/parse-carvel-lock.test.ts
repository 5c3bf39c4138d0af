import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatBundleLock } from '../../../../src/domain/carvel/bundle-lock.ts';
import { formatMovedLock } from '../../../../src/domain/carvel/moved-lock.ts';
import { parseCarvelLock, parseImagesLock } from '../../../../src/domain/carvel/parse-carvel-lock.ts';
import { isDtError, type ErrorCode } from '../../../../src/domain/errors.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const HEAD = '---\napiVersion: imgpkg.carvel.dev/v1alpha1\n';
const parse = (text: string): unknown => parseCarvelLock(Buffer.from(text), 'lock.yml');

describe('a lock of Carvel', () => {
  test('short names are written out, order and annotations stay', () => {
    const text = `${HEAD}images:\n- image: redis@${DIGEST}\n- annotations:\n    b: "1"\n  image: h.example/a/b:1@${DIGEST}\nkind: ImagesLock\n`;
    assert.equal(
      formatMovedLock(parseImagesLock(Buffer.from(text), 'lock.yml')),
      text.replace('redis@', 'index.docker.io/library/redis@').replace('b:1@', 'b@'),
    );
  });
  test('no images are none', () => {
    for (const images of ['', 'images:\n', 'images: []\n', 'images: null\n']) {
      assert.deepEqual(parse(`${HEAD}${images}kind: ImagesLock\n`), { kind: 'images', images: [] });
    }
  });
  test('a BundleLock is read back, with a tag and without', () => {
    for (const tag of ['1.0', undefined]) {
      const text = `${HEAD}bundle:\n  image: h.example/a@${DIGEST}\n${tag === undefined ? '' : `  tag: "${tag}"\n`}kind: BundleLock\n`;
      const lock = parseCarvelLock(Buffer.from(text), 'lock.yml');
      assert.ok(lock.kind === 'bundle' && lock.bundle.tag === tag);
      assert.equal(formatBundleLock(lock.bundle), text);
    }
  });
  const refused: readonly (readonly [string, ErrorCode, RegExp])[] = [
    [`${HEAD}kind: Other\n`, 'DT_LOCK_INVALID', /kind is "Other"/],
    ['apiVersion: imgpkg.carvel.dev/v2\nkind: ImagesLock\n', 'DT_LOCK_INVALID', /apiVersion/],
    ['- a\n', 'DT_LOCK_INVALID', /it is not a map/],
    ['a: [', 'DT_YAML_INVALID', /lock.yml/],
    [`${HEAD}images: {}\nkind: ImagesLock\n`, 'DT_LOCK_INVALID', /not a list/],
    [`${HEAD}images: [a]\nkind: ImagesLock\n`, 'DT_LOCK_INVALID', /image 1 is not a map/],
    [`${HEAD}images: [{image: 1}]\nkind: ImagesLock\n`, 'DT_LOCK_INVALID', /image 1 names no image/],
    [`${HEAD}images: [{image: a:1}]\nkind: ImagesLock\n`, 'DT_LOCK_INVALID', /image 1, "a:1", has no digest/],
    [`${HEAD}images: [{image: "http://a"}]\nkind: ImagesLock\n`, 'DT_BAD_REFERENCE', /it is a URL/],
    [`${HEAD}images: [{image: a@${DIGEST}, x: 1}]\nkind: ImagesLock\n`, 'DT_LOCK_INVALID', /unknown field "x"/],
    [
      `${HEAD}images: [{image: a@${DIGEST}, annotations: {x: 1}}]\nkind: ImagesLock\n`,
      'DT_LOCK_INVALID',
      /"x".*not a text/,
    ],
    [`${HEAD}bundle: {image: a@${DIGEST}, tag: 1.0}\nkind: BundleLock\n`, 'DT_LOCK_INVALID', /the tag/],
    [
      `${HEAD}bundle: {image: a@${DIGEST}}\nimages: []\nkind: BundleLock\n`,
      'DT_LOCK_INVALID',
      /unknown field "images"/,
    ],
  ];
  for (const [text, code, message] of refused) {
    test(`refused: ${JSON.stringify(text.replace(HEAD, '').slice(0, 60))}`, () => {
      assert.throws(
        () => parse(text),
        (error) => isDtError(error, code) && message.test(error.message),
      );
    });
  }
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isDtError } from '../../../../src/domain/errors.ts';
import { formatReference, parseReference, type Reference } from '../../../../src/domain/oci/reference.ts';
import { relocateReference, relocateReferenceText } from '../../../../src/domain/relocation/relocate-reference.ts';
import { findRelocationCollisions, toCollisionError } from '../../../../src/domain/relocation/relocation-collisions.ts';
import { parseRelocationPrefix } from '../../../../src/domain/relocation/relocation-prefix.ts';
import { readTable } from '../../../support/relocation-fixtures.ts';

interface Row {
  readonly image: string;
  readonly prefix: string;
  readonly exit: number;
  readonly result?: string | null;
}

const A = 'a'.repeat(64);
const BAD = 'error';

/** Where we differ from the Go tool on purpose, with what we do instead. */
const DIFFERENT_REFERENCES: ReadonlyMap<string, string> = new Map([
  ['localhost/app:1', 'acme.com/federal/app:1'],
  ['quay.io//xx:1', BAD],
  ['oci://quay.io/x/yy:1', BAD],
  ['https://quay.io/x/yy:1', BAD],
  ['quay.io/x', 'acme.com/federal/x:latest'],
]);

const DIFFERENT_PREFIXES: ReadonlySet<string> = new Set([
  'https://acme.com/x',
  'ACME.com/X',
  '  acme.com/x',
  'acme.com/x:tag',
  'oci://oci://acme.com',
  'acme.com/x y',
  '/',
  '.',
]);

function wantedReference(row: Row): string {
  const different = DIFFERENT_REFERENCES.get(row.image);
  if (different !== undefined) return different;
  if (/^(?:sha256:)?[0-9a-f]{64}$/.test(row.image)) return BAD;
  if (row.image.includes('@sha512:')) return `acme.com/federal/x/yy${row.image.slice(row.image.indexOf('@'))}`;
  const tag = /:([^:/@]+)@/.exec(row.image)?.[1];
  if (row.exit === 0 && tag !== undefined) return (row.result ?? '').replace('@', `:${tag}@`);
  return row.exit === 0 ? (row.result ?? '') : BAD;
}

function relocate(image: string, prefix: string): string {
  try {
    return relocateReferenceText(image, parseRelocationPrefix(prefix));
  } catch (error) {
    if (isDtError(error, 'DT_BAD_REFERENCE', 'DT_BAD_PREFIX')) return BAD;
    throw error;
  }
}

describe('relocateReferenceText', () => {
  const rows = readTable<Row>('relocate-urls.json');

  it('has the golden rows', () => {
    assert.ok(rows.length >= 45);
  });

  for (const row of rows) {
    it(`relocates ${JSON.stringify(row.image.slice(0, 60))}`, () => {
      assert.equal(relocate(row.image, row.prefix), wantedReference(row));
    });
  }

  it('keeps tag and digest both', () => {
    assert.equal(relocate(`nginx:1.2@sha256:${A}`, 'acme.com'), `acme.com/library/nginx:1.2@sha256:${A}`);
  });

  for (const prefix of [
    'acme.com',
    'acme.com/federal',
    'acme',
    'acme/x',
    'docker.io',
    'docker.io/me',
    'localhost:5000/x',
  ]) {
    it(`changes nothing the second time under ${prefix}`, () => {
      for (const row of rows) {
        const once = relocate(row.image, prefix);
        if (once !== BAD) assert.equal(relocate(once, prefix), once);
      }
    });
  }

  it('leaves deep and untagged names under the prefix alone', () => {
    for (const text of ['acme.com/federal/a/b/c/d:1', 'acme.com/federal/x', 'ACME.com/federal/x:1']) {
      assert.equal(relocate(text, 'acme.com/federal'), text);
    }
    assert.equal(relocate('acme.com/federalist/x:1', 'acme.com/federal'), 'acme.com/federal/federalist/x:1');
    assert.equal(relocate('me/x/yy', 'docker.io/me'), 'me/x/yy');
  });

  it('writes Docker Hub as docker.io', () => {
    const target = relocateReference(parseReference('quay.io/x/yy:1'), parseRelocationPrefix('index.docker.io/me'));
    assert.equal(formatReference(target), 'docker.io/me/x/yy:1');
  });
});

describe('parseRelocationPrefix', () => {
  for (const row of readTable<Row>('relocate-prefixes.json')) {
    it(`takes ${JSON.stringify(row.prefix)} for ${row.image}`, () => {
      let wanted = row.exit !== 0 || DIFFERENT_PREFIXES.has(row.prefix) ? BAD : (row.result ?? '');
      // What lies under the prefix already stays as it is written.
      if (row.prefix === 'docker.io') wanted = row.image;
      assert.equal(relocate(row.image, row.prefix), wanted);
    });
  }

  for (const text of [
    '',
    ' ',
    'a b',
    'acme.com//x',
    'acme.com/x@y',
    'acme.com:0',
    'acme.com:70000',
    'acme.com:port',
    '-a',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => parseRelocationPrefix(text),
        (error) => isDtError(error, 'DT_BAD_PREFIX'),
      );
    });
  }

  it('splits registry and path', () => {
    assert.deepEqual(parseRelocationPrefix('oci://[::1]:5000/a/b//'), { registry: '[::1]:5000', path: 'a/b' });
  });
});

describe('findRelocationCollisions', () => {
  const prefix = parseRelocationPrefix('acme.com/federal');
  const relocate = (reference: Reference): Reference => relocateReference(reference, prefix);
  const collisions = (...images: readonly string[]): readonly string[] =>
    findRelocationCollisions(images.map(parseReference), relocate).map(
      ({ target, sources }) => `${target} < ${sources.map(formatReference).join(' ')}`,
    );

  it('names target and sources', () => {
    assert.deepEqual(collisions('gcr.io/a/sub/app/server:1', 'gcr.io/b/sub/app/server:1', 'quay.io/x/yy:1'), [
      'acme.com/federal/app/server:1 < gcr.io/a/sub/app/server:1 gcr.io/b/sub/app/server:1',
    ]);
  });

  it('counts an untagged image as latest and the same image once', () => {
    assert.equal(collisions('a/x', 'quay.io/a/x:latest').length, 1);
    assert.equal(collisions('nginx:1', 'docker.io/library/nginx:1').length, 0);
  });

  it('lets other tags and pure digests be', () => {
    assert.deepEqual(collisions('a/x:1', 'quay.io/a/x:2', `gcr.io/a/x@sha256:${A}`, `ghcr.io/a/x@sha256:${A}`), []);
  });

  it('becomes an error with a code', () => {
    const collision = findRelocationCollisions([parseReference('a/x:1'), parseReference('quay.io/a/x:1')], relocate)[0];
    assert.ok(collision !== undefined);
    assert.ok(isDtError(toCollisionError(collision, prefix), 'DT_RELOCATION_COLLISION'));
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../../../src/domain/oci/digest.ts';
import { formatTableOfContents, parseTableOfContents } from '../../../../src/domain/wrap/table-of-contents.ts';
import { parseWrapDocument } from '../../../../src/domain/wrap/parse-wrap-document.ts';
import { parseJson } from '../../../../src/domain/wrap/wrap-json.ts';
import { formatWrapDocument, type WrapDocument, type WrappedImage } from '../../../../src/domain/wrap/wrap-document.ts';
import {
  MAX_ATTACHED_ARTIFACTS,
  MAX_TOC_BYTES,
  MAX_WRAP_DOCUMENT_BYTES,
  MAX_WRAP_DOCUMENT_MARKS,
} from '../../../../src/domain/wrap/wrap-limits.ts';

const REFUSAL = { code: 'DT_LIMIT_EXCEEDED' };
const digest = digestOf('x');

function documentOf(image: Partial<WrappedImage>): WrapDocument {
  const images = [{ chart: 'demo', name: 'x', reference: 'r.example.com/x:1', platforms: [], ...image }];
  return { formatVersion: 1, kind: 'container', charts: [], images, blobs: [] };
}

/** What the writer makes, or its refusal, and the same for a reader that gets the document nevertheless. */
function assertSameLimit(most: WrapDocument, more: WrapDocument): void {
  assert.deepEqual(parseWrapDocument(formatWrapDocument(most)), most);
  assert.throws(() => formatWrapDocument(more), REFUSAL);
  assert.throws(() => parseWrapDocument(Buffer.from(`${JSON.stringify(more, null, 1)}\n`)), REFUSAL);
}

test('wrap.json may be as large for the writer as for the reader', () => {
  const emptyBytes = formatWrapDocument(documentOf({ name: '' })).length;
  const name = 'x'.repeat(MAX_WRAP_DOCUMENT_BYTES - emptyBytes);
  assertSameLimit(documentOf({ name }), documentOf({ name: `${name}x` }));
});

test('an image may have as many artifacts for the writer as for the reader', () => {
  const attach = (count: number): WrapDocument =>
    documentOf({ attached: Array.from({ length: count }, () => ({ subject: digest, digest })) });
  assertSameLimit(attach(MAX_ATTACHED_ARTIFACTS), attach(MAX_ATTACHED_ARTIFACTS + 1));
});

test('wrap.json may have as many values for the writer as for the reader', () => {
  const marks = (document: WrapDocument): number =>
    formatWrapDocument(document)
      .toString()
      .match(/[[{,:]/g)?.length ?? 0;
  const name = ','.repeat(MAX_WRAP_DOCUMENT_MARKS - marks(documentOf({})));
  assertSameLimit(documentOf({ name }), documentOf({ name: `${name},` }));
});

test('a small document with millions of values is refused before it is parsed', () => {
  assert.throws(() => parseJson(Buffer.from(`[${'[],'.repeat(MAX_WRAP_DOCUMENT_MARKS)}[]]`), 'x'), REFUSAL);
});

test('a table of contents may be as large for the writer as for the reader', () => {
  const emptyBytes = formatTableOfContents({ members: [{ offset: 0, length: 100, path: '' }] }).length;
  const members = [{ offset: 0, length: 100, path: 'x'.repeat(MAX_TOC_BYTES - emptyBytes) }];
  assert.deepEqual(parseTableOfContents(formatTableOfContents({ members }), 100), { members });
  const more = [{ offset: 0, length: 100, path: `${String(members[0]?.path)}x` }];
  assert.throws(() => formatTableOfContents({ members: more }), REFUSAL);
  const bytes = Buffer.from(`${JSON.stringify({ members: [[0, 100, more[0]?.path]] })}\n`);
  assert.throws(() => parseTableOfContents(bytes, 100), REFUSAL);
});

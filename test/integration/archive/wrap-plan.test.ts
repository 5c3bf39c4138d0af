import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planWrap, type WrapEntry } from '../../../src/archive/wrap-plan.ts';
import { digestOf } from '../../../src/domain/oci/digest.ts';
import {
  MAX_LAST_MEMBER_BYTES,
  MAX_SMALL_ENTRIES,
  MAX_SMALL_ENTRIES_BYTES,
} from '../../../src/domain/wrap/wrap-limits.ts';

const BYTES = Buffer.alloc(60_000);
const digest = digestOf('x');
const refusal = (what: RegExp): object => ({ code: 'DT_LIMIT_EXCEEDED', message: what });

/** The same entry over and over; the paths are not compared here. */
function repeat(entry: WrapEntry, count: number): WrapEntry[] {
  return Array.from({ length: count }, () => entry);
}

test('a wrap with more small entries than a reader takes is refused', () => {
  const entries = repeat({ kind: 'directory', path: 'top/chart/x', mode: 0o755 }, MAX_SMALL_ENTRIES + 1);
  assert.throws(() => planWrap(entries, 'top', 0), refusal(/^top has more than 100000 small entries/));
});

test('a wrap with more bytes of small entries than a reader takes is refused', () => {
  const entry: WrapEntry = { kind: 'file', path: 'top/chart/x', mode: 0o644, bytes: BYTES };
  const count = Math.ceil(MAX_SMALL_ENTRIES_BYTES / BYTES.length);
  assert.throws(() => planWrap(repeat(entry, count), 'top', 0), refusal(/bytes of small entries/));
});

test('a wrap with a longer table of contents than a reader takes is refused', () => {
  const path = `top/${'x/'.repeat(1_000)}`;
  const entries = repeat({ kind: 'blob', path, digest, sizeBytes: 70_000 }, 4_500);
  assert.throws(() => planWrap(entries, 'top', 0), refusal(/toc\.json has more than 8388608 bytes/));
});

test('a wrap with more links than a reader takes is refused', () => {
  const entries = repeat({ kind: 'link', path: 'top/x', target: 'top/y' }, MAX_LAST_MEMBER_BYTES / 512);
  assert.throws(() => planWrap(entries, 'top', 0), refusal(/bytes of links and table of contents/));
});

test('a wrap with a path that no reader takes is refused', () => {
  const plan = (path: string): unknown => planWrap([{ kind: 'blob', path, digest, sizeBytes: 70_000 }], 'top', 0);
  assert.throws(() => plan(`top/${'x'.repeat(256)}`), { code: 'DT_UNSAFE_ENTRY' });
  assert.throws(() => plan(`top/${'x/'.repeat(2_050)}`), { code: 'DT_UNSAFE_ENTRY' });
  plan(`top/${'x'.repeat(255)}`);
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { LARGE_ENTRY_BYTES, planWrap, type WrapEntry } from '../../../src/archive/wrap-plan.ts';
import { WrapReader } from '../../../src/archive/wrap-reader.ts';
import { DtError } from '../../../src/domain/errors.ts';
import { WrapWriter } from '../../../src/archive/wrap-writer.ts';
import { digestOf } from '../../../src/domain/oci/digest.ts';
import { readArchive } from '../../support/archives.ts';
import { createRandom, SEED, type Random } from '../../support/random.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dt-wrap-file-'));
});
after(async () => rm(folder, { recursive: true, force: true }));

const PARTS = [
  'a',
  'ü',
  '漢字',
  'name with blanks',
  '"quoted"',
  'x'.repeat(90),
  'é'.repeat(120),
  '🎈',
  '-dash',
  '.hidden',
  "it's",
];

interface Sample {
  readonly entries: readonly WrapEntry[];
  readonly contents: ReadonlyMap<string, Buffer>;
}

function createSample(random: Random): Sample {
  const entries: WrapEntry[] = [];
  const contents = new Map<string, Buffer>();
  const newPath = (): string => {
    const depth = 1 + random.below(6);
    const path = `top/${Array.from({ length: depth }, () => random.pick(PARTS)).join('/')}/${String(contents.size)}`;
    return path;
  };
  const sizes = [
    0,
    1,
    511,
    512,
    513,
    LARGE_ENTRY_BYTES - 1,
    LARGE_ENTRY_BYTES,
    LARGE_ENTRY_BYTES + 1,
    65_535 * 3,
    300_000,
  ];
  for (let i = 0; i < 25; i++) {
    const path = newPath();
    const bytes = Buffer.alloc(random.below(3) === 0 ? random.below(200_000) : random.pick(sizes), random.bytes(97));
    contents.set(path, bytes);
    if (bytes.length >= LARGE_ENTRY_BYTES && random.below(2) === 0)
      entries.push({ kind: 'blob', path, digest: digestOf(bytes), sizeBytes: bytes.length });
    else entries.push({ kind: 'file', path, mode: 0o600 + random.below(0o70), bytes });
    if (random.below(5) === 0) entries.push({ kind: 'directory', path: `top/folder${String(i)}`, mode: 0o755 });
  }
  const large = entries.find((entry) => entry.kind === 'blob');
  if (large !== undefined) entries.push({ kind: 'link', path: `top/${'l'.repeat(150)}/link`, target: large.path });
  return { entries, contents };
}

async function write(name: string, { entries, contents }: Sample, mtimeSeconds = 0): Promise<string> {
  const path = join(folder, name);
  const plan = planWrap(entries, 'top', mtimeSeconds);
  const writer = await WrapWriter.open(path, plan);
  const digests = new Map([...contents.values()].map((bytes) => [digestOf(bytes), bytes]));
  for (const entry of entries) {
    if (entry.kind !== 'blob' || writer.isFinished(entry.digest)) continue;
    await writer.writeBlob(
      entry.digest,
      Readable.from([digests.get(entry.digest) ?? Buffer.alloc(0)], { objectMode: false }),
    );
  }
  await writer.finish();
  assert.equal((await stat(path)).size, plan.totalBytes);
  return path;
}

for (let round = 0; round < 8; round++) {
  const seed = SEED + round;
  test(`what is written is read, by us and by others (seed ${String(seed)})`, async () => {
    const sample = createSample(createRandom(seed));
    const path = await write(`round${String(round)}.tgz`, sample);
    const reader = await WrapReader.open(path);
    assert.ok(reader !== undefined);
    const found = new Map<string, Buffer>();
    for await (const entry of reader.readSmallEntries())
      if (entry.type === 'file') found.set(entry.path, Buffer.from(entry.bytes));
    for (const large of reader.largePaths()) {
      const { bytes } = await reader.readLarge(large, 2 ** 30);
      await reader.checkLarge(large, bytes.length);
      assert.ok((await buffer(await reader.openBlob(large, digestOf(bytes), bytes.length))).equals(bytes));
      found.set(large, bytes);
    }
    await reader.close();
    const list = (map: ReadonlyMap<string, Buffer>): unknown =>
      [...map].map(([name, bytes]) => [name, digestOf(bytes)]).sort();
    assert.deepEqual(list(found), list(sample.contents));

    const archive = await readArchive(path);
    const files = new Map(
      archive
        .filter(({ type, name }) => type === 'file' && name !== 'top/.dt/toc.json')
        .map(({ name, bytes }) => [name, bytes]),
    );
    assert.deepEqual(list(files), list(sample.contents));
    assert.equal(archive.at(-1)?.name, 'top/.dt/toc.json');

    const target = join(folder, `unpacked${String(round)}`);
    await mkdir(target);
    execFileSync('tar', ['-xzf', path, '-C', target]);
    for (const [name, bytes] of sample.contents) assert.ok((await readFile(join(target, name))).equals(bytes), name);
    execFileSync('gzip', ['-t', path]);
  });
}

test('equal entries give equal bytes, and the time is that of the plan', async () => {
  const sample = createSample(createRandom(SEED));
  const [first, second, later] = await Promise.all([
    write('a.tgz', sample, 5),
    write('b.tgz', sample, 5),
    write('c.tgz', sample, 6),
  ]);
  assert.ok((await readFile(first)).equals(await readFile(second)));
  assert.ok(!(await readFile(first)).equals(await readFile(later)));
});

test('a path of nearly 4096 bytes in front of a large entry is read', async () => {
  const path = `top/${Array.from({ length: 15 }, () => 'ü'.repeat(125)).join('/')}`;
  assert.ok(Buffer.byteLength(path) > 3700);
  const bytes = Buffer.alloc(LARGE_ENTRY_BYTES, 'x');
  const file = await write('long.tgz', {
    entries: [{ kind: 'file', path, mode: 0o644, bytes }],
    contents: new Map([[path, bytes]]),
  });
  const reader = await WrapReader.open(file);
  assert.ok(reader !== undefined);
  assert.ok((await reader.readLarge(path, 2 ** 20)).bytes.equals(bytes));
  await reader.close();
});

test('a blob that fails leaves no file under the final name', async () => {
  const bytes = Buffer.alloc(LARGE_ENTRY_BYTES, 'x');
  const digest = digestOf(bytes);
  const path = join(folder, 'failed', 'out.tgz');
  await mkdir(join(folder, 'failed'));
  const writer = await WrapWriter.open(
    path,
    planWrap([{ kind: 'blob', path: 'top/x', digest, sizeBytes: bytes.length }], 'top', 0),
  );
  await assert.rejects(
    writer.writeBlob(digest, Readable.from([Buffer.alloc(bytes.length, 'y')], { objectMode: false })),
    { code: 'DT_DIGEST_MISMATCH' },
  );
  assert.equal(writer.isFinished(digest), false);
  await assert.rejects(writer.finish(), { code: 'DT_OUTPUT_FAILED' });
  await writer.abandon();
  assert.deepEqual(await readdir(join(folder, 'failed')), []);
});

test('a run that was interrupted keeps its finished blobs, and only those', async () => {
  const blobs = ['x', 'y', 'z'].map((fill) => Buffer.alloc(100_000, fill));
  const entries = blobs.map((bytes, index): WrapEntry => ({
    kind: 'blob',
    path: `top/${String(index)}`,
    digest: digestOf(bytes),
    sizeBytes: bytes.length,
  }));
  const plan = planWrap(entries, 'top', 0);
  const path = join(folder, 'resumed.tgz');
  const [first = Buffer.alloc(0), second = Buffer.alloc(0), third = Buffer.alloc(0)] = blobs;
  const stream = (bytes: Buffer): Readable => Readable.from([bytes], { objectMode: false });
  const interrupted = await WrapWriter.open(path, plan);
  await interrupted.writeBlob(digestOf(first), stream(first));
  await interrupted.writeBlob(digestOf(second), stream(second));
  await interrupted.abandon();
  // What was finished is hashed again: damage in between is noticed.
  const partial = await readFile(`${path}.partial`);
  const at = partial.indexOf('yyyy');
  partial.write('n', at + 50);
  await writeFile(`${path}.partial`, partial);
  const resumed = await WrapWriter.open(path, plan);
  assert.deepEqual(
    [first, second, third].map((bytes) => resumed.isFinished(digestOf(bytes))),
    [true, false, false],
  );
  await resumed.writeBlob(digestOf(second), stream(second));
  await resumed.writeBlob(digestOf(third), stream(third));
  await resumed.finish();
  assert.deepEqual(
    (await readArchive(path)).slice(0, 3).map(({ bytes }) => digestOf(bytes)),
    blobs.map((bytes) => digestOf(bytes)),
  );
});

test('what fails on the complete file before it has its name is tried again without fetching', async () => {
  const bytes = Buffer.alloc(100_000, 'z');
  const digest = digestOf(bytes);
  const plan = planWrap([{ kind: 'blob', path: 'top/blob', digest, sizeBytes: bytes.length }], 'top', 0);
  const path = join(folder, 'unsigned.tgz');
  const writer = await WrapWriter.open(path, plan);
  await writer.writeBlob(digest, Readable.from([bytes], { objectMode: false }));
  const failure = new DtError('DT_OUTPUT_FAILED', 'not signed');
  await assert.rejects(
    writer.finish(() => Promise.reject(failure)),
    failure,
  );
  assert.equal(await writer.abandon(), `${path}.partial`);
  await assert.rejects(readFile(path), { code: 'ENOENT' });
  const again = await WrapWriter.open(path, plan);
  assert.equal(again.continuedBlobs, 1);
  let seen: Buffer | undefined;
  await again.finish(async (file) => {
    seen = await buffer(file.stream());
    assert.ok((await readFile(`${path}.partial`)).equals(seen));
  });
  assert.equal(seen?.length, plan.totalBytes);
  assert.ok((await readFile(path)).equals(seen));
});

test('a file without footer is no wrap of ours; a missing one is an error', async () => {
  const path = join(folder, 'other');
  await writeFile(path, Buffer.alloc(1000));
  assert.equal(await WrapReader.open(path), undefined);
  await assert.rejects(WrapReader.open(join(folder, 'missing')), { code: 'DT_FILE_NOT_FOUND' });
});

test('an entry that is asked for with another size, or does not exist, is refused', async () => {
  const bytes = Buffer.alloc(LARGE_ENTRY_BYTES, 'x');
  const file = await write('sizes.tgz', {
    entries: [{ kind: 'file', path: 'top/x', mode: 0o644, bytes }],
    contents: new Map(),
  });
  const reader = await WrapReader.open(file);
  assert.ok(reader !== undefined);
  await assert.rejects(reader.checkLarge('top/x', bytes.length + 1), { code: 'DT_WRAP_INVALID' });
  await assert.rejects(reader.checkLarge('top/y', bytes.length), { code: 'DT_WRAP_INCOMPLETE' });
  await assert.rejects(reader.readLarge('top/x', bytes.length - 1), { code: 'DT_LIMIT_EXCEEDED' });
  await reader.checkLarge('top/x', bytes.length);
  await reader.close();
});

test('sizes beyond a petabyte are refused', () => {
  const entry: WrapEntry = { kind: 'blob', path: 'top/x', digest: digestOf(''), sizeBytes: 2 ** 50 };
  assert.throws(() => planWrap([entry], 'top', 0), { code: 'DT_LIMIT_EXCEEDED' });
});

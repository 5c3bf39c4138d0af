import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { BlobThread } from '../../../src/archive/blob-thread.ts';
import { countPartialBytes } from '../../../src/archive/partial-files.ts';
import { readPartialText } from '../../../src/archive/partial-wrap.ts';
import { readEntry, scanWrap } from '../../../src/archive/scan-wrap.ts';
import { openWrapFile } from '../../../src/archive/wrap-file.ts';
import { planWrap, type WrapEntry, type WrapPlan } from '../../../src/archive/wrap-plan.ts';
import { WrapReader } from '../../../src/archive/wrap-reader.ts';
import { WrapWriter, type WrapWriterOptions } from '../../../src/archive/wrap-writer.ts';
import { digestOf } from '../../../src/domain/oci/digest.ts';
import { randomBytesOf } from '../../support/images.ts';
import { createRandom, SEED } from '../../support/random.ts';

const NAME = 'x.wrap.tgz';
const PART_BYTES = 150_000;
const ROUNDS = 6;

interface Sample {
  readonly plan: WrapPlan;
  readonly blobs: readonly Buffer[];
}

function createSample(seed = 1): Sample {
  const blobs = [70_000, 300_000, 65_536, 131_071].map((sizeBytes, index) =>
    randomBytesOf(`${String(seed)}/${String(index)}`, sizeBytes),
  );
  const entries: WrapEntry[] = [
    { kind: 'file', path: 'top/.dt/wrap.json', mode: 0o644, bytes: Buffer.from('{}') },
    { kind: 'file', path: 'top/small', mode: 0o644, bytes: randomBytesOf('small', 40_000) },
    { kind: 'file', path: 'top/large', mode: 0o644, bytes: randomBytesOf('large', 90_000) },
    ...blobs.map((bytes, index): WrapEntry => {
      return { kind: 'blob', path: `top/blob${String(index)}`, digest: digestOf(bytes), sizeBytes: bytes.length };
    }),
  ];
  return { plan: planWrap(entries, 'top', 0), blobs };
}

async function write(path: string, { plan, blobs }: Sample, options: WrapWriterOptions = {}): Promise<WrapWriter> {
  const writer = await WrapWriter.open(path, plan, options);
  await Promise.all(
    blobs.map(async (bytes) => {
      if (writer.isFinished(digestOf(bytes))) return;
      await writer.writeBlob(digestOf(bytes), Readable.from([bytes], { objectMode: false }));
    }),
  );
  return writer;
}

async function makeFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dt-split-'));
  t.after(async () => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A wrap in parts, in a folder of its own. */
async function makeParts(t: TestContext): Promise<{ folder: string; path: string; whole: Buffer; sample: Sample }> {
  const folder = await makeFolder(t);
  const sample = createSample();
  const path = join(folder, NAME);
  await (await write(path, sample)).finish();
  const whole = await readFile(path);
  await rm(path);
  await (await write(path, sample, { partBytes: PART_BYTES })).finish();
  return { folder, path, whole, sample };
}

const part = (number: number): string => `${NAME}.${String(number).padStart(3, '0')}`;

test(`parts of any size are the bytes of the one file, and read like it (seed ${String(SEED)})`, async (t) => {
  const random = createRandom(SEED);
  const folder = await makeFolder(t);
  const sample = createSample(SEED);
  const { totalBytes } = sample.plan;
  const path = join(folder, NAME);
  await (await write(path, sample)).finish();
  const whole = await readFile(path);
  const thread = new BlobThread(new URL('file:///nowhere.js'));
  t.after(async () => thread.close());
  for (let round = 0; round < ROUNDS; round++) {
    const partBytes = round === 0 ? totalBytes : Math.ceil(totalBytes / (1 + random.below(40))) + random.below(3);
    const story = `seed ${String(SEED)}, parts of ${String(partBytes)} bytes`;
    // With a worker, and without.
    const writer = await write(path, sample, { partBytes, ...(round % 2 === 0 ? {} : { thread }) });
    const { parts } = await writer.finish();
    const names = Array.from({ length: Math.ceil(totalBytes / partBytes) }, (_, index) => part(index + 1));
    assert.deepEqual(
      parts,
      names.map((name) => join(folder, name)),
      story,
    );
    assert.deepEqual((await readdir(folder)).sort(), [...names, `${NAME}.sha256`], story);
    execFileSync('sha256sum', ['-c', '--strict', `${NAME}.sha256`], { cwd: folder });
    const joined = execFileSync('sh', ['-c', `cat ${NAME}.0*`], { cwd: folder, maxBuffer: 2 * totalBytes });
    assert.ok(joined.equals(whole), story);
    for (const given of [NAME, part(1), part(names.length), `${NAME}.sha256`]) {
      const reader = await WrapReader.open(join(folder, given));
      assert.ok(reader !== undefined, story);
      for (const [index, bytes] of sample.blobs.entries()) {
        const entry = `top/blob${String(index)}`;
        assert.ok((await buffer(await reader.openBlob(entry, digestOf(bytes), bytes.length))).equals(bytes), story);
        assert.ok((await reader.readLarge(entry, totalBytes)).bytes.equals(bytes), story);
      }
      await reader.close();
    }
  }
});

test('a tar.gz of another tool that was cut is read from its parts', async (t) => {
  const folder = await makeFolder(t);
  const bytes = randomBytesOf('go', 500_000);
  await mkdir(join(folder, 'top'));
  await writeFile(join(folder, 'top', 'file'), bytes);
  execFileSync('sh', ['-c', 'tar -cz top | split -b 100000 -d -a 3 --numeric-suffixes=1 - go.wrap.tgz.'], {
    cwd: folder,
  });
  const path = join(folder, 'go.wrap.tgz');
  assert.equal(await WrapReader.open(path), undefined);
  let found: Buffer | undefined;
  await scanWrap(path, async (entry, content) => {
    if (entry.path === 'file') found = await readEntry(entry, content, bytes.length);
    return undefined;
  });
  assert.ok(found?.equals(bytes));
});

test('parts that are missing, cut or not files are named before anything is read', async (t) => {
  const { folder, path } = await makeParts(t);
  const at = (name: string): string => join(folder, name);
  const refuse = async (code: string, message: RegExp): Promise<void> => {
    for (const given of [NAME, part(1), part(2)]) {
      await assert.rejects(WrapReader.open(at(given)), { code, message }, given);
    }
  };
  const count = (await readdir(folder)).length - 1;
  assert.ok(count >= 4);
  const move = async (from: string, to: string): Promise<void> => rename(at(from), at(to));

  for (const number of [1, 2, count]) {
    await move(part(number), 'away');
    await refuse(
      'DT_WRAP_INCOMPLETE',
      new RegExp(`has ${String(count)} parts, and x\\.wrap\\.tgz\\.00${String(number)} is missing`),
    );
    await move('away', part(number));
  }
  // Without the list of parts a lost end shows in the content.
  await move(`${NAME}.sha256`, 'list');
  await move(part(count), 'away');
  await refuse(
    'DT_WRAP_INCOMPLETE',
    new RegExp(`the end of .* is missing: x\\.wrap\\.tgz\\.00${String(count - 1)} is not its last part`),
  );
  await move('away', part(count));
  await move(part(2), 'away');
  await refuse('DT_WRAP_INCOMPLETE', /x\.wrap\.tgz\.002 is missing/);
  await move('away', part(2));
  await (await openWrapFile(path)).file.close();
  await move('list', `${NAME}.sha256`);

  const second = await readFile(at(part(2)));
  await truncate(at(part(2)), 1000);
  await refuse('DT_WRAP_INCOMPLETE', /the part x\.wrap\.tgz\.002 of .* is cut: it has 1000 bytes where 150000 are due/);
  await rm(at(part(2)));
  execFileSync('mkfifo', [at(part(2))]);
  await refuse('DT_FILE_UNREADABLE', /x\.wrap\.tgz\.002 is not a regular file/);
  await rm(at(part(2)));
  // A link to a part is as good as the part.
  await writeFile(at('elsewhere'), second);
  await symlink('elsewhere', at(part(2)));
  const reader = await WrapReader.open(path);
  assert.equal(reader?.parts.length, count);
  await reader.close();
});

test('a damaged blob comes with the names of its parts; renamed parts are a wrap of that name', async (t) => {
  const { folder, path, sample } = await makeParts(t);
  const [, large = Buffer.alloc(0)] = sample.blobs;
  const files = await readdir(folder);
  for (const name of files) await rename(join(folder, name), join(folder, name.replace(NAME, 'y.tgz')));
  await assert.rejects(WrapReader.open(path), { code: 'DT_FILE_NOT_FOUND' });
  const third = join(folder, 'y.tgz.003');
  const bytes = await readFile(third);
  bytes[1000] = (bytes[1000] ?? 0) ^ 1;
  await writeFile(third, bytes);
  const reader = await WrapReader.open(join(folder, 'y.tgz'));
  t.after(async () => reader?.close());
  assert.ok(reader !== undefined);
  const stream = await reader.openBlob('top/blob1', digestOf(large), large.length);
  await assert.rejects(buffer(stream), {
    code: 'DT_DIGEST_MISMATCH',
    detail: /These bytes lie in y\.tgz\.002, y\.tgz\.003/,
  });
});

test('an interrupted run goes on, also one that was giving the parts their names', async (t) => {
  const { folder, path, whole, sample } = await makeParts(t);
  const options = { partBytes: PART_BYTES };
  const count = (await readdir(folder)).length - 1;
  const [first = Buffer.alloc(0)] = sample.blobs;
  // A former wrap stays whole until the new one is.
  const interrupted = await WrapWriter.open(path, sample.plan, options);
  await interrupted.writeBlob(digestOf(first), Readable.from([first], { objectMode: false }));
  assert.equal(await interrupted.abandon(), join(folder, `${part(1)}.partial`));
  await (await WrapReader.open(path))?.close();
  assert.ok((await countPartialBytes(path)) >= first.length);
  const resumed = await WrapWriter.open(path, sample.plan, options);
  assert.equal(resumed.continuedBlobs, 1);
  await resumed.abandon();
  const complete = await write(path, sample, options);
  await complete.abandon();

  for (let named = 0; named < count; named++) {
    // What a run leaves that is killed after so many parts have their names.
    await rm(join(folder, part(1)), { force: true });
    for (let number = count; number > count - named; number--) {
      await rename(join(folder, `${part(number)}.partial`), join(folder, part(number)));
    }
    assert.equal(await readPartialText(path, 'top/.dt/wrap.json'), '{}');
    await assert.rejects(WrapReader.open(path), { code: 'DT_WRAP_INCOMPLETE' });
    const again = await WrapWriter.open(path, sample.plan, options);
    assert.equal(again.continuedBlobs, sample.blobs.length, String(named));
    assert.equal(again.replacesPartial, false);
    await again.abandon();
  }
  await (await WrapWriter.open(path, sample.plan, options)).finish();
  const joined = await Promise.all(
    Array.from({ length: count }, async (_, index) => readFile(join(folder, part(index + 1)))),
  );
  assert.ok(Buffer.concat(joined).equals(whole));
  assert.equal((await readdir(folder)).length, count + 1);
});

test('a run that cannot name all parts leaves none that is taken for a wrap, and the next one ends it', async (t) => {
  const { folder, path, whole, sample } = await makeParts(t);
  const writer = await write(path, sample, { partBytes: PART_BYTES });
  await rm(join(folder, part(2)));
  await mkdir(join(folder, part(2)));
  await assert.rejects(writer.finish(), { code: 'DT_OUTPUT_FAILED' });
  assert.equal(await writer.abandon(), join(folder, `${part(1)}.partial`));
  assert.ok(!(await readdir(folder)).includes(part(1)), 'the former first part is gone');
  await rm(join(folder, part(2)), { recursive: true });
  const again = await WrapWriter.open(path, sample.plan, { partBytes: PART_BYTES });
  assert.equal(again.continuedBlobs, sample.blobs.length);
  const { parts } = await again.finish();
  assert.ok(Buffer.concat(await Promise.all(parts.map(async (name) => readFile(name)))).equals(whole));
});

test('nothing of a former wrap stays that could be taken for this one, and nothing else goes', async (t) => {
  const { folder, path, whole, sample } = await makeParts(t);
  const others = [`${NAME}.1000`, `${NAME}.00a`, `other.${part(1)}`, `${part(1)}.txt`];
  for (const name of others) await writeFile(join(folder, name), '');
  await writeFile(join(folder, 'target'), 'x');
  await symlink('target', join(folder, part(99)));
  await writeFile(path, 'former');
  const larger = await write(path, sample, { partBytes: 2 * PART_BYTES });
  const { parts, removed } = await larger.finish();
  const names = parts.map((_, index) => part(index + 1));
  assert.deepEqual(removed.slice(0, 1), [path]);
  const kept = [...others, part(99), 'target'];
  assert.deepEqual((await readdir(folder)).sort(), [...kept, ...names, `${NAME}.sha256`].sort());

  const { removed: formerParts } = await (await write(path, sample)).finish();
  assert.deepEqual((await readdir(folder)).sort(), [...kept, NAME].sort());
  assert.equal(formerParts.length, names.length + 1);
  assert.ok((await readFile(path)).equals(whole));
  // A list of something else stays.
  await writeFile(`${path}.sha256`, `${'0'.repeat(64)}  ${NAME}\n`);
  await writeFile(join(folder, part(1)), 'mine');
  assert.deepEqual((await (await write(path, sample)).finish()).removed, []);
  assert.equal(await readFile(join(folder, part(1)), 'utf8'), 'mine');
});

test('a run with other parts takes nothing over, and leaves nothing', async (t) => {
  const folder = await makeFolder(t);
  const sample = createSample();
  const path = join(folder, NAME);
  for (const partBytes of [PART_BYTES, undefined, 2 * PART_BYTES, PART_BYTES]) {
    const writer = await write(path, sample, { partBytes });
    assert.equal(writer.continuedBlobs, 0);
    await writer.abandon();
    const expected = partBytes === undefined ? 1 : Math.ceil(sample.plan.totalBytes / partBytes);
    assert.equal((await readdir(folder)).length, expected);
  }
});

test('something else in the place of a part is not written to', async (t) => {
  const folder = await makeFolder(t);
  const { plan } = createSample();
  const path = join(folder, NAME);
  const open = async (): Promise<WrapWriter> => WrapWriter.open(path, plan, { partBytes: PART_BYTES });
  await writeFile(join(folder, 'target'), 'mine');
  for (const name of [part(1), part(3)]) {
    await rm(join(folder, `${name}.partial`), { force: true });
    await symlink('target', join(folder, `${name}.partial`));
    await assert.rejects(open(), { code: 'DT_OUTPUT_FAILED' });
    await rm(join(folder, `${name}.partial`));
    execFileSync('mkfifo', [join(folder, `${name}.partial`)]);
    await assert.rejects(open(), { code: 'DT_OUTPUT_FAILED' });
    await rm(join(folder, `${name}.partial`));
  }
  for (const name of [part(2), `${NAME}.sha256`]) {
    await mkdir(join(folder, name));
    await assert.rejects(open(), { code: 'DT_OUTPUT_FAILED' });
    await rm(join(folder, name), { recursive: true });
  }
  assert.equal(await readFile(join(folder, 'target'), 'utf8'), 'mine');
  await assert.rejects(WrapWriter.open(path, plan, { partBytes: 100 }), { code: 'DT_USAGE' });
});

test('parts that changed after they were written do not become a wrap', async (t) => {
  const folder = await makeFolder(t);
  const sample = createSample();
  const path = join(folder, NAME);
  const writer = await write(path, sample, { partBytes: PART_BYTES });
  const partial = join(folder, `${part(3)}.partial`);
  const bytes = await readFile(partial);
  bytes[5000] = (bytes[5000] ?? 0) ^ 1;
  await writeFile(partial, bytes);
  await assert.rejects(writer.finish(), {
    code: 'DT_OUTPUT_FAILED',
    message: /top\/blob\d was written, and something else is read/,
  });
  await writer.abandon();
  assert.ok((await readdir(folder)).every((name) => name.endsWith('.partial')));
  const again = await write(path, sample, { partBytes: PART_BYTES });
  assert.ok(again.continuedBlobs > 0 && again.continuedBlobs < sample.blobs.length);
  await again.finish();
});

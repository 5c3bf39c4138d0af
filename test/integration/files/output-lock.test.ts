import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { acquireOutputLock } from '../../../src/files/output-lock.ts';

let folder = '';
let count = 0;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dt-lock-'));
});
after(async () => rm(folder, { recursive: true, force: true }));

const newLock = (): string => join(folder, `${String(count++)}.lock`);

async function writeOldLock(content: string): Promise<string> {
  const path = newLock();
  await writeFile(path, content);
  await utimes(path, 1, 1);
  return path;
}

test('is held by one run at a time and leaves nothing behind', async () => {
  const path = newLock();
  const release = await acquireOutputLock(path, 'out');
  await assert.rejects(acquireOutputLock(path, 'out'), { code: 'DT_OUTPUT_BUSY' });
  const owner = JSON.parse(await readFile(path, 'utf8')) as { pid: number; host: string };
  assert.deepEqual([owner.pid, owner.host], [process.pid, hostname()]);
  await release();
  await release();
  await (
    await acquireOutputLock(path, 'out')
  )();
  assert.ok(!(await readdir(folder)).includes('0.lock'));
});

test('of many runs at once one gets it', async () => {
  const path = newLock();
  const results = await Promise.allSettled(Array.from({ length: 20 }, async () => acquireOutputLock(path, 'out')));
  const winners = results.filter((result) => result.status === 'fulfilled');
  assert.equal(winners.length, 1);
  for (const result of results)
    if (result.status === 'rejected') assert.equal((result.reason as { code: unknown }).code, 'DT_OUTPUT_BUSY');
});

test('the lock of a process that is gone is taken over', async () => {
  const child = spawn('true');
  await once(child, 'exit');
  const path = await writeOldLock(JSON.stringify({ host: hostname(), pid: child.pid, startedAt: '1' }));
  await (
    await acquireOutputLock(path, 'out')
  )();
});

test('the lock of a process that has ended is taken over before its parent has asked about it', async (t) => {
  if (process.platform !== 'linux') {
    t.skip('needs /proc');
    return;
  }
  // The shell becomes a program that never waits for the child.
  const parent = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
  t.after(() => parent.kill('SIGKILL'));
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString().trim());
  const readStat = async (): Promise<string[]> =>
    (await readFile(`/proc/${String(pid)}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  while ((await readStat())[0] !== 'Z') await sleep(20);
  const startedAt = (await readStat())[19];
  const path = await writeOldLock(JSON.stringify({ host: hostname(), pid, startedAt }));
  await (
    await acquireOutputLock(path, 'out')
  )();
});

test('of many runs that find a stale lock one gets it', async () => {
  for (let round = 0; round < 20; round++) {
    const path = await writeOldLock(JSON.stringify({ host: hostname(), pid: process.pid, startedAt: 'another time' }));
    const results = await Promise.allSettled(Array.from({ length: 8 }, async () => acquireOutputLock(path, 'out')));
    const winners = results.filter((result) => result.status === 'fulfilled');
    assert.ok(winners.length <= 1, `${String(winners.length)} runs hold the lock`);
  }
});

test('a folder that cannot be written to is a failure of the output', async () => {
  await writeFile(join(folder, 'file'), '');
  await assert.rejects(acquireOutputLock(join(folder, 'file', 'x.lock'), 'out'), { code: 'DT_OUTPUT_FAILED' });
});

test('the lock of an earlier process with the same number is taken over', async () => {
  const path = await writeOldLock(JSON.stringify({ host: hostname(), pid: process.pid, startedAt: 'another time' }));
  await (
    await acquireOutputLock(path, 'out')
  )();
});

test('the lock of a process that lives, or of another machine, is respected', async () => {
  const release = await acquireOutputLock(join(folder, 'own'), 'out');
  const own = await readFile(join(folder, 'own'), 'utf8');
  await release();
  for (const content of [own, JSON.stringify({ host: 'elsewhere', pid: 1, startedAt: '' })]) {
    const path = await writeOldLock(content);
    await assert.rejects(acquireOutputLock(path, 'out'), { code: 'DT_OUTPUT_BUSY' });
    assert.equal(await readFile(path, 'utf8'), content);
  }
});

for (const content of [
  '',
  'garbage',
  'null',
  '[]',
  '{}',
  '{"host":5,"pid":"x","startedAt":null}',
  JSON.stringify({ host: hostname(), pid: 1.5, startedAt: 'x' }),
  JSON.stringify({ host: hostname(), pid: -1, startedAt: 'x' }),
  '\u0000'.repeat(1e6),
]) {
  test(`an old lock with ${JSON.stringify(content.slice(0, 40))} is taken over`, async () => {
    const path = await writeOldLock(content);
    await (
      await acquireOutputLock(path, 'out')
    )();
  });
}

test('an empty lock that was made just now may be one that is being filled', async () => {
  const path = newLock();
  await writeFile(path, '');
  const attempt = assert.rejects(acquireOutputLock(path, 'out'), { code: 'DT_OUTPUT_BUSY' });
  await writeFile(path, JSON.stringify({ host: 'elsewhere', pid: 1, startedAt: '' }));
  await attempt;
});

for (const [name, suffix] of [
  ['a lock that was never filled', ''],
  ['what a run leaves that was killed while it removed a stale lock', '.stale'],
] as const) {
  test(`${name} does not stand in the way`, async () => {
    const path = await writeOldLock('garbage');
    await writeFile(path + suffix, '');
    const almostOldSeconds = (Date.now() - 1700) / 1000;
    await utimes(path + suffix, almostOldSeconds, almostOldSeconds);
    await (
      await acquireOutputLock(path, 'out')
    )();
    assert.ok(!(await readdir(folder)).some((entry) => entry.startsWith(basename(path))));
  });
}

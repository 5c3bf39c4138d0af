import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { DtError } from '../../../src/domain/errors.ts';
import { LinesReporter } from '../../../src/output/lines-reporter.ts';

function createReporter(options: { isDebug?: boolean; heartbeatMs?: number } = {}): {
  reporter: LinesReporter;
  lines: string[];
} {
  const lines: string[] = [];
  const reporter = new LinesReporter({ write: (line) => lines.push(line), isDebug: false, ...options });
  return { reporter, lines };
}

test('the tree of the work: three blanks per level, one line per finished step', async () => {
  const { reporter, lines } = createReporter();
  await reporter.section('Wrapping Helm chart "contour"', async () => {
    await reporter.step(
      'Downloading Helm chart',
      () => Promise.resolve(1),
      () => 'Helm chart downloaded',
    );
    await reporter.section('Pulling images', () =>
      reporter.step(
        'Pulling',
        () => Promise.resolve(3),
        (count) => `${String(count)} images`,
      ),
    );
  });
  assert.equal(
    lines.join(''),
    [
      ' »  Wrapping Helm chart "contour"',
      '    ✔  Helm chart downloaded',
      '    »  Pulling images',
      '       ✔  3 images',
      '',
    ].join('\n'),
  );
});

test('sections side by side keep their own level', async () => {
  const { reporter, lines } = createReporter();
  const workAt = (name: string, delayMs: number): Promise<void> =>
    reporter.section(name, async () => {
      await sleep(delayMs);
      await reporter.step(`step of ${name}`, () => Promise.resolve());
    });
  await Promise.all([workAt('a', 20), reporter.section('outer', () => workAt('b', 5))]);
  assert.deepEqual(lines.slice(3), ['       ✔  step of b\n', '    ✔  step of a\n']);
});

test('results and errors pass through unchanged, and a failed step says so', async () => {
  const { reporter, lines } = createReporter();
  const error = new DtError('DT_NOT_FOUND', 'no such image');
  await assert.rejects(
    reporter.section('outer', () => reporter.step('Pulling', () => Promise.reject(error))),
    (thrown) => thrown === error,
  );
  assert.deepEqual(lines, [' »  outer\n', '    ✘  Pulling\n']);
  assert.equal(await reporter.step('x', () => Promise.resolve(42)), 42);
});

test('a long step gives a sign of life with what it has done', async () => {
  const { reporter, lines } = createReporter({ heartbeatMs: 20 });
  await reporter.step('Pulling', async (progress) => {
    progress.setTotalBytes(2_000_000);
    progress.addBytes(500_000);
    progress.setStatus('nginx');
    await sleep(70);
  });
  assert.ok(lines.length >= 3, lines.join(''));
  assert.match(lines[0] ?? '', /^ … {2}Pulling: nginx, 500\.0 kB of 2\.0 MB/);
});

test('no escape sequence and no second line comes out of a hostile title', async () => {
  const { reporter, lines } = createReporter();
  await reporter.step('a\u001b[2Jb\nError: fake\u202Ec', () => Promise.resolve());
  reporter.warn('https://user:secret@example.com/x');
  assert.deepEqual(lines, [' ✔  ab Error: fakec\n', ' ⚠  Warning: https://***@example.com/x\n']);
});

test('debug messages come with the time, and only when they are wanted', () => {
  const quiet = createReporter();
  quiet.reporter.debug('GET /v2/');
  assert.deepEqual(quiet.lines, []);
  const verbose = createReporter({ isDebug: true });
  verbose.reporter.debug('GET /v2/');
  verbose.reporter.info('hello');
  assert.match(verbose.lines[0] ?? '', /^\d{4}-\d\d-\d\dT[\d:.]+Z debug: GET \/v2\/\n$/);
  assert.match(verbose.lines[1] ?? '', /^\d{4}-\d\d-\d\dT[\d:.]+Z {5}hello\n$/);
});

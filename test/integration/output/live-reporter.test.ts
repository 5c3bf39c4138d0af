import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { DtError } from '../../../src/domain/errors.ts';
import { LiveReporter } from '../../../src/output/live-reporter.ts';

interface FakeTerminal {
  readonly stream: NodeJS.WriteStream;
  /** Every write so far. */
  readonly writes: string[];
  /** What stands on the terminal at the end, as plain text: the last drawing. */
  readonly screen: () => string;
}

function createTerminal(): FakeTerminal {
  const writes: string[] = [];
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 100, rows: 40 });
  stream.write = (chunk: unknown) => {
    writes.push(String(chunk));
    return true;
  };
  const screen = (): string => {
    const text = writes.join('');
    // Drawings replace each other by erasing lines; after the last erasure stands what remains.
    return stripVTControlCharacters(text.slice(text.lastIndexOf('\u001b[2K') + 1)).trimEnd();
  };
  return { stream: stream as unknown as NodeJS.WriteStream, writes, screen };
}

test('the finished tree stands on the terminal with our symbols', async () => {
  const terminal = createTerminal();
  const reporter = new LiveReporter(terminal.stream);
  await reporter.section('Wrapping Helm chart "contour"', async () => {
    await reporter.step(
      'Downloading Helm chart',
      () => sleep(150),
      () => 'Helm chart downloaded',
    );
    reporter.warn('the chart has no icon');
    await reporter.section('Pulling images', () =>
      reporter.step(
        'Pulling',
        () => sleep(150, 3),
        (count) => `${String(count)} images`,
      ),
    );
  });
  assert.ok(
    terminal
      .screen()
      .endsWith(
        [
          ' »  Wrapping Helm chart "contour"',
          '    ✔  Helm chart downloaded',
          '    ⚠  Warning: the chart has no icon',
          '    »  Pulling images',
          '       ✔  3 images',
        ].join('\n'),
      ),
    JSON.stringify(terminal.screen()),
  );
  assert.ok(terminal.writes.join('').endsWith('\u001b[?25h'), 'the cursor is shown again');
});

test('progress is drawn at most ten times a second, however often it changes', async () => {
  const terminal = createTerminal();
  const reporter = new LiveReporter(terminal.stream);
  const startMs = performance.now();
  await reporter.step('Pulling', async (progress) => {
    progress.setTotalBytes(10_000_000);
    for (let round = 0; round < 100; round += 1) {
      progress.addBytes(100_000);
      progress.setStatus(`layer ${String(round)}`);
      await sleep(10);
    }
  });
  const allowed = Math.ceil((performance.now() - startMs) / 100) + 2;
  const drawings = terminal.writes.filter((text) => text.includes('Pulling'));
  assert.ok(drawings.length <= allowed, `${String(drawings.length)} drawings, ${String(allowed)} allowed`);
  assert.match(stripVTControlCharacters(drawings.join('')), /Pulling: layer \d+, [\d.]+ MB of 10\.0 MB, [\d.]+ MB\/s/);
});

test('results and errors pass through, and steps may run side by side', async () => {
  const terminal = createTerminal();
  const reporter = new LiveReporter(terminal.stream);
  const error = new DtError('DT_NOT_FOUND', 'no such image');
  const [first, second] = await Promise.allSettled([
    reporter.step('one', () => sleep(30, 'value')),
    reporter.section('two', () => reporter.step('inner', () => sleep(10).then(() => Promise.reject(error)))),
  ]);
  assert.deepEqual(first, { status: 'fulfilled', value: 'value' });
  assert.ok(second.status === 'rejected' && second.reason === error);
  assert.match(terminal.screen(), / ✔ {2}one\n »  two\n {4}✘ {2}inner$/);
});

test('a hostile title cannot move the cursor', async () => {
  const terminal = createTerminal();
  const reporter = new LiveReporter(terminal.stream);
  await reporter.step('a\u001b[9Ab\u0007', () => Promise.resolve());
  reporter.info('c\u001b[9Ad');
  assert.ok(!terminal.writes.join('').includes('\u001b[9A'));
  assert.match(terminal.screen(), /ab[^]*cd$/);
});

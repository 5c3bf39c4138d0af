import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SilentReporter } from '../../../src/output/silent-reporter.ts';
import { WarningCollector } from '../../../src/output/warning-collector.ts';

test('nothing but warnings shows, and those only where they are wanted', async () => {
  for (const [showsWarnings, expected] of [
    [true, [' ⚠  Warning: careful\n']],
    [false, []],
  ] as const) {
    const lines: string[] = [];
    const reporter = new SilentReporter({ write: (line) => lines.push(line), showsWarnings });
    const result = await reporter.section('a', () =>
      reporter.step('b', (progress) => {
        progress.setTotalBytes(1);
        progress.addBytes(1);
        progress.setStatus('x');
        return Promise.resolve(7);
      }),
    );
    reporter.info();
    reporter.debug();
    reporter.warn('careful');
    assert.equal(result, 7);
    assert.deepEqual(lines, expected);
  }
});

test('the collector keeps warnings and passes them on', () => {
  const lines: string[] = [];
  const target = new SilentReporter({ write: (line) => lines.push(line), showsWarnings: true });
  const collector = new WarningCollector(target);
  collector.warn('first\nline');
  collector.info('not a warning');
  assert.deepEqual(collector.warnings, ['first line']);
  assert.equal(lines.length, 1);
});

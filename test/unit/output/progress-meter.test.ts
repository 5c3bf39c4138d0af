import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProgressMeter } from '../../../src/output/progress-meter.ts';

test('status, bytes, rate and time left appear as they become known', () => {
  let nowMs = 5000;
  const meter = new ProgressMeter(() => nowMs);
  assert.equal(meter.describe(), '');
  meter.setStatus('nginx');
  assert.equal(meter.describe(), 'nginx');
  meter.addBytes(1_000_000);
  assert.equal(meter.describe(), 'nginx, 1.0 MB');
  meter.setTotalBytes(10_000_000);
  nowMs += 2000;
  assert.equal(meter.describe(), 'nginx, 1.0 MB of 10.0 MB, 500.0 kB/s, 18.0 s left');
  meter.addBytes(9_000_000);
  assert.equal(meter.describe(), 'nginx, 10.0 MB of 10.0 MB, 5.0 MB/s');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProgressMeter } from '../../../src/output/progress-meter.ts';

test('status, bytes, rate and time left appear as they become known', () => {
  let nowMs = 5000;
  const meter = new ProgressMeter({ now: () => nowMs });
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

test('the rate is that of what was sent lately, not of what was there', () => {
  let nowMs = 0;
  const meter = new ProgressMeter({ now: () => nowMs });
  meter.setTotalBytes(100_000_000);
  meter.skipBytes(50_000_000);
  for (let second = 0; second < 20; second++) {
    nowMs += 1000;
    meter.addBytes(second < 8 ? 5_000_000 : 500_000);
  }
  assert.match(meter.describe(), /^96\.0 MB of 100\.0 MB, 550\.0 kB\/s, 7\.3 s left$/);
  nowMs += 60_000;
  meter.describe();
  nowMs += 11_000;
  assert.equal(meter.describe(), '96.0 MB of 100.0 MB');
});

test('a narrow line keeps what matters most', () => {
  let nowMs = 0;
  const meter = new ProgressMeter({ now: () => nowMs });
  meter.setTotalBytes(10_000_000);
  meter.setStatus('nginx');
  nowMs += 1000;
  meter.addBytes(2_500_000);
  assert.equal(meter.describe(), 'nginx, 2.5 MB of 10.0 MB, 2.5 MB/s, 3.0 s left');
  assert.equal(meter.describe(43), '2.5 MB of 10.0 MB, 2.5 MB/s, 3.0 s left');
  assert.equal(meter.describe(30), '25 %, 2.5 MB/s, 3.0 s left');
  assert.equal(meter.describe(20), '25 %, 3.0 s left');
  assert.equal(meter.describe(5), '25 %');
  assert.equal(meter.describe(3), '');
});

test('a part starts with its first byte and ends with its last, and counts for the whole', () => {
  const events: string[] = [];
  const meter = new ProgressMeter({
    now: () => 0,
    onPartStart: ({ title }) => events.push(`start ${title}`),
    onPartEnd: ({ title, sentBytes }) => events.push(`end ${title} ${String(sentBytes)}`),
  });
  meter.setTotalBytes(30);
  const [first, second] = [meter.addPart('a', 10), meter.addPart('b', 20)];
  second.skipBytes(15);
  first.addBytes(10);
  assert.equal(meter.describe(), '1 of 2 done, 25 B of 30 B');
  second.addBytes(5);
  // What is sent again after a failure starts nothing anew.
  second.addBytes(5);
  assert.deepEqual(events, ['start b', 'start a', 'end a 10', 'end b 5']);
});

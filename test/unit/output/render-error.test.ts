import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DtError } from '../../../src/domain/errors.ts';
import { renderErrorDocument, renderErrorText } from '../../../src/output/render-error.ts';
import { toDtError } from '../../../src/output/to-dt-error.ts';

const OPTIONS = { bin: 'helm dt', version: '1.2.3', isDebug: false };

test('what failed, one fact, what to try, the code', () => {
  const error = new DtError('DT_AUTH_REQUIRED', 'cannot push app-1.2.0 to registry.example.com/prod/app', {
    detail: 'No credentials were sent for registry.example.com.',
    hints: ['{bin} auth login registry.example.com', '{bin} unwrap --help', 'a third one'],
    side: 'destination',
  });
  assert.equal(
    renderErrorText(error, OPTIONS),
    [
      'Error: cannot push app-1.2.0 to registry.example.com/prod/app',
      '  No credentials were sent for registry.example.com. The destination side failed.',
      'Try:',
      '  helm dt auth login registry.example.com',
      '  helm dt unwrap --help',
      'Code: DT_AUTH_REQUIRED',
      '',
    ].join('\n'),
  );
  assert.deepEqual(renderErrorDocument(error, { ...OPTIONS, bin: 'dt' }), {
    error: {
      code: 'DT_AUTH_REQUIRED',
      message: 'cannot push app-1.2.0 to registry.example.com/prod/app',
      detail: 'No credentials were sent for registry.example.com. The destination side failed.',
      hints: ['dt auth login registry.example.com', 'dt unwrap --help'],
      side: 'destination',
      exitCode: 4,
    },
  });
});

test('images that failed have a line each, and a stable place in the document', () => {
  const failures = [
    { image: 'r.example/a:1', error: new DtError('DT_NOT_FOUND', 'no a', { side: 'source', detail: 'It said: no.' }) },
    { image: 'r.example/b:1', error: new DtError('DT_DISK_FULL', 'no b\u001b[31m https://u:p@x/') },
  ];
  const error = new DtError('DT_NOT_FOUND', '2 of 3 images could not be pulled', { failures, detail: 'More.' });
  assert.equal(
    renderErrorText(error, OPTIONS),
    [
      'Error: 2 of 3 images could not be pulled',
      ' ✘  r.example/a:1 (source): no a. It said: no.',
      ' ✘  r.example/b:1: no b https://***@x/',
      '  More.',
      'Code: DT_NOT_FOUND',
      '',
    ].join('\n'),
  );
  assert.deepEqual(renderErrorDocument(error, OPTIONS).error.failures, [
    { image: 'r.example/a:1', code: 'DT_NOT_FOUND', message: 'no a', side: 'source' },
    { image: 'r.example/b:1', code: 'DT_DISK_FULL', message: 'no b https://***@x/' },
  ]);
});

test('of very many failed images the terminal shows some, the document all', () => {
  const failures = Array.from({ length: 80 }, (_, index) => ({
    image: `r.example/i${String(index)}:1`,
    error: new DtError('DT_NOT_FOUND', 'gone'),
  }));
  const error = new DtError('DT_NOT_FOUND', '80 of 80 images could not be pulled', { failures });
  const lines = renderErrorText(error, OPTIONS).split('\n');
  assert.equal(lines.filter((line) => line.includes('gone')).length, 50);
  assert.ok(lines.some((line) => line.includes('30 more')));
  assert.equal(renderErrorDocument(error, OPTIONS).error.failures?.length, 80);
});

test('the bare minimum is two lines', () => {
  assert.equal(renderErrorText(new DtError('DT_USAGE', 'no'), OPTIONS), 'Error: no\nCode: DT_USAGE\n');
});

test('control characters and secrets stay out of every part', () => {
  const error = new DtError('DT_NOT_FOUND', 'cannot get \u001b]0;x\u0007\u001b[31mhttps://u:p@example.com/?sig=abc', {
    detail: 'a\nCode: DT_FAKE',
    hints: ['curl -H "Authorization: Bearer abcdef123456"'],
    cause: new Error('https://u:p@example.com'),
  });
  const text = renderErrorText(error, { ...OPTIONS, isDebug: true });
  assert.doesNotMatch(text, /[\u0000-\u0008\u000b-\u001f\u007f]/);
  assert.doesNotMatch(text, /u:p@|abcdef|sig=abc/);
  assert.equal(text.split('\n').filter((line) => line.startsWith('Code: ')).length, 1);
  assert.doesNotMatch(JSON.stringify(renderErrorDocument(error, OPTIONS)), /u:p@|abcdef|sig=abc|\\u001b/);
});

test('debug shows the stack and the chain of causes', () => {
  const error = new DtError('DT_NOT_FOUND', 'outer', { cause: new Error('middle', { cause: new Error('inner') }) });
  const text = renderErrorText(error, { ...OPTIONS, isDebug: true });
  assert.match(text, /Stack: DtError: outer\n {4}at /);
  assert.match(text, /Caused by: Error: middle[^]*Caused by: Error: inner/);
  assert.doesNotMatch(renderErrorText(error, OPTIONS), /middle|at /);
});

test('what nobody foresaw is a bug, with versions and exit code 1', () => {
  const error = toDtError(new TypeError('x is not a function'));
  assert.equal(error.code, 'DT_BUG');
  assert.equal(error.exitCode, 1);
  const text = renderErrorText(error, OPTIONS);
  assert.match(text, /TypeError: x is not a function\n {2}This is a bug in dt 1\.2\.3 \(Node\.js v/);
  assert.match(text, /--log-level debug/);
});

test('system errors, several failures and interruptions get their codes', () => {
  const systemError = (code: string): Error => Object.assign(new Error(code), { code });
  assert.equal(toDtError(systemError('ENOSPC')).code, 'DT_DISK_FULL');
  assert.equal(toDtError(systemError('ENOENT')).code, 'DT_FILE_NOT_FOUND');
  assert.equal(toDtError('text').code, 'DT_BUG');
  const failures = (['DT_OUTPUT_FAILED', 'DT_NOT_FOUND', 'DT_AUTH_DENIED', 'DT_DIGEST_MISMATCH'] as const).map(
    (code) => new DtError(code, code),
  );
  const exitCodes = [1, 2, 3, 4].map((count) => toDtError(new AggregateError(failures.slice(0, count))).exitCode);
  assert.deepEqual(exitCodes, [1, 5, 4, 3]);
  assert.equal(toDtError(new AggregateError(failures), true).exitCode, 130);
});

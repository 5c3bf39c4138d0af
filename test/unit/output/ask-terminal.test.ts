import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { test } from 'node:test';
import { askTerminal } from '../../../src/output/ask-terminal.ts';

function ask(
  isSecret: boolean,
  signal = new AbortController().signal,
): { readonly stdin: PassThrough; readonly texts: readonly string[]; readonly answer: Promise<string> } {
  const texts: string[] = [];
  const stdin = new PassThrough();
  const stderr = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      texts.push(chunk.toString());
      done();
    },
  });
  return { stdin, texts, answer: askTerminal({ question: 'Password', isSecret, stdin, stderr, signal }) };
}

test('a secret is read and not shown, whatever is corrected in it', async () => {
  const { stdin, texts, answer } = ask(true);
  stdin.write('hunterr\u007f2\r');
  assert.equal(await answer, 'hunter2');
  assert.equal(texts.join(''), ' ?  Password: \n');
});

test('what is no secret is shown', async () => {
  const { stdin, texts, answer } = ask(false);
  stdin.write('robot\n');
  assert.equal(await answer, 'robot');
  assert.match(texts.join(''), /r.*o.*b.*o.*t/s);
});

test('Ctrl-C, an interruption and the end of the input leave no answer', async () => {
  const typed = ask(true);
  typed.stdin.write('abc\u0003');
  await assert.rejects(typed.answer, { code: 'DT_INTERRUPTED' });
  const controller = new AbortController();
  const interrupted = ask(true, controller.signal);
  controller.abort();
  await assert.rejects(interrupted.answer, { code: 'DT_INTERRUPTED' });
  const ended = ask(true);
  ended.stdin.end();
  await assert.rejects(ended.answer, { code: 'DT_USAGE' });
});

test('an interruption that came before the question leaves no answer', async () => {
  await assert.rejects(ask(true, AbortSignal.abort()).answer, { code: 'DT_INTERRUPTED' });
});

test('nothing is left on the signal, whatever became of the question', async () => {
  const { signal } = new AbortController();
  const [answered, ended] = [ask(true, signal), ask(true, signal)];
  assert.equal(getEventListeners(signal, 'abort').length, 2);
  answered.stdin.write('x\r');
  await answered.answer;
  ended.stdin.end();
  await assert.rejects(ended.answer);
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('the terminal stops to echo before the question is there, and starts again after the answer', async () => {
  const events: string[] = [];
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (isRaw: boolean) => events.push(isRaw ? 'echo off' : 'echo on'),
  });
  const stderr = new Writable({
    write: (_chunk, _encoding, done) => {
      events.push('write');
      done();
    },
  });
  const { signal } = new AbortController();
  const answer = askTerminal({ question: 'Password', isSecret: true, stdin, stderr, signal });
  stdin.write('x\r');
  await answer;
  assert.deepEqual(events, ['echo off', 'write', 'echo on', 'write']);
});

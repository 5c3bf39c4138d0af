import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { test } from 'node:test';
import { askTerminal, confirmAtTerminal, type QuestionTerminal } from '../../../src/output/ask-terminal.ts';

interface FakeTerminal extends QuestionTerminal {
  readonly stdin: PassThrough;
  readonly texts: readonly string[];
}

function openFakeTerminal(signal = new AbortController().signal): FakeTerminal {
  const texts: string[] = [];
  const stderr = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      texts.push(chunk.toString());
      done();
    },
  });
  return { stdin: new PassThrough(), stderr, signal, texts };
}

/** Types only when somebody reads: what comes earlier is taken for left-over keys. */
async function type(terminal: FakeTerminal, keys: string): Promise<void> {
  while (terminal.texts.length === 0) await nextTurn();
  terminal.stdin.write(keys);
}

test('a secret is read and not shown, whatever is corrected in it', async () => {
  const terminal = openFakeTerminal();
  const answer = askTerminal('Password', { isSecret: true }, terminal);
  await type(terminal, 'hunterr\u007f2\u0014\r');
  assert.equal(await answer, 'hunter2');
  const shown = stripVTControlCharacters(terminal.texts.join(''));
  assert.match(shown, /^ \? {2}Password:/);
  assert.doesNotMatch(shown, /hunter|\*/);
});

test('what is no secret is shown', async () => {
  const terminal = openFakeTerminal();
  const answer = askTerminal('User\u001b[2J name', { isSecret: false }, terminal);
  await type(terminal, 'robot\r');
  assert.equal(await answer, 'robot');
  assert.match(stripVTControlCharacters(terminal.texts.join('')), /✔ {2}User.* name: robot/);
  assert.ok(!terminal.texts.join('').includes('\u001b[2J'));
});

for (const [keys, expected] of [
  ['y\r', true],
  ['Yes\r', true],
  ['n\r', false],
  ['\r', false],
  ['qq\r\u007f\u007fy\r', true],
  ['\u0004', false],
] as const) {
  test(`${JSON.stringify(keys)} is ${expected ? 'yes' : 'no'}`, async () => {
    const terminal = openFakeTerminal();
    const answer = confirmAtTerminal('Push 3 images?', terminal);
    await type(terminal, keys);
    assert.equal(await answer, expected);
    assert.match(stripVTControlCharacters(terminal.texts.join('')), /^ \? {2}Push 3 images\? \(y\/N\)/);
  });
}

test('Ctrl-C, an interruption and the end of the input leave no answer', async () => {
  const typed = openFakeTerminal();
  const answer = askTerminal('Password', { isSecret: true }, typed);
  await type(typed, 'abc\u0003');
  await assert.rejects(answer, { code: 'DT_INTERRUPTED' });
  const controller = new AbortController();
  const interrupted = askTerminal('Password', { isSecret: true }, openFakeTerminal(controller.signal));
  controller.abort();
  await assert.rejects(interrupted, { code: 'DT_INTERRUPTED' });
  const ended = openFakeTerminal();
  const unanswered = askTerminal('Password', { isSecret: true }, ended);
  ended.stdin.end();
  await assert.rejects(unanswered, { code: 'DT_USAGE' });
  const confirmed = openFakeTerminal();
  const refused = confirmAtTerminal('Push?', confirmed);
  await type(confirmed, '\u0003');
  await assert.rejects(refused, { code: 'DT_INTERRUPTED' });
});

test('an interruption that came before the question leaves no answer', async () => {
  const terminal = openFakeTerminal(AbortSignal.abort());
  await assert.rejects(askTerminal('Password', { isSecret: true }, terminal), { code: 'DT_INTERRUPTED' });
});

test('nothing is left on the signal and on the input, whatever became of the question', async () => {
  const { signal } = new AbortController();
  const [answered, ended] = [openFakeTerminal(signal), openFakeTerminal(signal)];
  const answer = askTerminal('Password', { isSecret: true }, answered);
  await type(answered, 'x\r');
  await answer;
  const unanswered = askTerminal('Password', { isSecret: true }, ended);
  ended.stdin.end();
  await assert.rejects(unanswered);
  assert.equal(getEventListeners(signal, 'abort').length, 0);
  for (const { stdin } of [answered, ended]) assert.equal(stdin.listenerCount('pause'), 0);
});

test('the terminal stops to echo before the question is there, and starts again after the answer', async () => {
  const events: string[] = [];
  const terminal = openFakeTerminal();
  const stdin = Object.assign(terminal.stdin, {
    isTTY: true,
    setRawMode: (isRaw: boolean) => {
      const when = terminal.texts.length === 0 ? 'before' : 'after';
      events.push(`echo ${isRaw ? 'off' : 'on'} ${when} the question`);
    },
  });
  const answer = askTerminal('Password', { isSecret: true }, { ...terminal, stdin });
  await type(terminal, 'x\r');
  await answer;
  assert.deepEqual(events, ['echo off before the question', 'echo on after the question']);
});

import assert from 'node:assert/strict';
import { PassThrough, Readable } from 'node:stream';
import { test } from 'node:test';
import { LinePrompter } from '../../../src/output/prompter.ts';

function createPrompter(
  input: Readable,
  { signal } = new AbortController(),
): { prompter: LinePrompter; texts: string[] } {
  const texts: string[] = [];
  return { prompter: new LinePrompter({ openInput: () => input, write: (text) => texts.push(text), signal }), texts };
}

const ANSWERS: readonly (readonly [string, boolean])[] = [
  ['y\n', true],
  ['YES\n', true],
  [' yes \r\n', true],
  ['y', true],
  ['n\n', false],
  ['yep\n', false],
  ['\n', false],
  ['', false],
];

for (const [answer, expected] of ANSWERS) {
  test(`${JSON.stringify(answer)} is ${expected ? 'yes' : 'no'}`, async () => {
    const { prompter } = createPrompter(Readable.from([answer]));
    assert.equal(await prompter.confirm('Push?'), expected);
  });
}

test('input without an end of the line is a no', async () => {
  const zeros = new Readable({
    read() {
      this.push(Buffer.alloc(65536));
    },
  });
  assert.equal(await createPrompter(zeros).prompter.confirm('Push?'), false);
});

test('several answers may lie in one piece of input', async () => {
  const { prompter, texts } = createPrompter(Readable.from(['y\nn\ny\n']));
  const answers = [await prompter.confirm('1?'), await prompter.confirm('2?'), await prompter.confirm('3?')];
  assert.deepEqual(answers, [true, false, true]);
  assert.equal(await prompter.confirm('4?'), false);
  assert.equal(texts[0], ' ?  1? [y/N] ');
});

test('a question is asked before its answer is there', async () => {
  const input = new PassThrough();
  const { prompter, texts } = createPrompter(input);
  const answer = prompter.confirm('Push?');
  assert.deepEqual(texts, [' ?  Push? [y/N] ']);
  input.write('yes\n');
  assert.equal(await answer, true);
  prompter.close();
});

test('an interruption ends the question and its line, whatever is typed then', async () => {
  const input = new PassThrough();
  const interruption = new AbortController();
  const { prompter, texts } = createPrompter(input, interruption);
  const answer = prompter.confirm('Push?');
  interruption.abort();
  input.end('y\n');
  await assert.rejects(answer, { code: 'DT_INTERRUPTED' });
  assert.deepEqual(texts, [' ?  Push? [y/N] ', '\n']);
  await assert.rejects(prompter.confirm('Push now?'), { code: 'DT_INTERRUPTED' });
});

import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import {
  chartCredentialRegistry,
  readCredentialFlags,
  type CredentialFlags,
} from '../../../src/commands/credential-flags.ts';

async function read(
  flags: Partial<CredentialFlags>,
  stdin = '',
): Promise<{ credential: Awaited<ReturnType<typeof readCredentialFlags>>; warnings: string[] }> {
  const warnings: string[] = [];
  const input = { stdin: Readable.from([Buffer.from(stdin)]), warn: (message: string) => warnings.push(message) };
  const credential = await readCredentialFlags({ 'password-stdin': false, ...flags }, () => 'r.example', input);
  return { credential, warnings };
}

test('the password comes from standard input without its line end, and nothing else is taken off', async () => {
  for (const [stdin, password] of [
    ['secret\n', 'secret'],
    ['secret\r\n', 'secret'],
    ['secret', 'secret'],
    [' two words \n', ' two words '],
    ['two\n\n', 'two\n'],
  ] as const) {
    const { credential, warnings } = await read({ username: 'me', 'password-stdin': true }, stdin);
    assert.deepEqual(credential, { registry: 'r.example', username: 'me', password });
    assert.deepEqual(warnings, []);
  }
});

test('a password among the arguments is taken with a warning that does not hold it', async () => {
  const { credential, warnings } = await read({ username: 'me', password: 'secret' });
  assert.equal(credential?.password, 'secret');
  assert.equal(warnings.length, 1);
  assert.ok(!warnings[0]?.includes('secret'));
});

test('without any of the flags there is no credential, and no registry is looked for', async () => {
  const input = { stdin: Readable.from([]), warn: () => undefined };
  const registry = (): string => assert.fail('nobody needs it');
  assert.equal(await readCredentialFlags({ 'password-stdin': false }, registry, input), undefined);
});

for (const [name, flags, stdin] of [
  ['a user without a password', { username: 'me' }, ''],
  ['a password without a user', { password: 'secret' }, ''],
  ['a password from standard input without a user', { 'password-stdin': true }, 'secret'],
  ['two passwords', { username: 'me', password: 'a', 'password-stdin': true }, 'b'],
  ['an empty standard input', { username: 'me', 'password-stdin': true }, '\n'],
  ['an empty user', { username: '', password: 'secret' }, ''],
  ['a user with a colon', { username: 'a:b', password: 'secret' }, ''],
  ['a standard input without end', { username: 'me', 'password-stdin': true }, 'x'.repeat(100_000)],
] as const) {
  test(`${name} is wrong usage`, async () => {
    await assert.rejects(read(flags, stdin), { code: 'DT_USAGE' });
  });
}

test('credentials for a chart go to the registry or repository that the user has typed, or nowhere', () => {
  assert.equal(chartCredentialRegistry('oci://r.example:5000/charts/app:1.0'), 'r.example:5000');
  assert.equal(chartCredentialRegistry('app', 'https://charts.example/stable'), 'charts.example');
  // fetchChart takes oci:// first, so this must too.
  assert.equal(chartCredentialRegistry('oci://r.example/app', 'https://charts.example'), 'r.example');
  for (const location of ['./chart', 'chart.tgz', 'stable/app', 'r.example/app', 'https://r.example/app.tgz']) {
    assert.throws(() => chartCredentialRegistry(location), { code: 'DT_USAGE' }, location);
  }
  assert.throws(() => chartCredentialRegistry('app', 'not a url'), { code: 'DT_USAGE' });
});

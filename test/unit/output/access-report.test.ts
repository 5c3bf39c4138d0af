import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAccess } from '../../../src/output/access-report.ts';

const RESULT = { reference: 'registry.example.com/app', action: 'pull' } as const;
const FILE = { kind: 'file', file: '/home/user/config.json', entry: 'registry.example.com' } as const;

test('the place of the credentials is named, and whether they were sent', () => {
  const used = formatAccess({ ...RESULT, credentials: FILE, checked: true });
  const unused = formatAccess({ ...RESULT, credentials: FILE, checked: false });
  const helper = formatAccess({ ...RESULT, credentials: { ...FILE, helper: 'pass' }, checked: true });
  const anonymous = formatAccess({ ...RESULT, credentials: { kind: 'anonymous' }, checked: false });
  for (const line of [used, unused, helper]) assert.ok(line.includes(FILE.file) && line.includes(FILE.entry), line);
  assert.ok(helper.includes('docker-credential-pass'), helper);
  assert.equal(new Set([used, unused, helper, anonymous]).size, 4);
});

test('an entry of a file shows no control characters', () => {
  const credentials = { ...FILE, entry: 'evil\u001b[2J' };
  assert.doesNotMatch(formatAccess({ ...RESULT, credentials, checked: true }), /\p{Cc}/u);
});

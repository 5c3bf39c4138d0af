import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toSchemaName } from '../../scripts/lib/schema-fields.ts';
import { COMMANDS } from '../../src/commands/index.ts';
import { EXIT_CODES } from '../../src/domain/errors.ts';
import { listJsonCases, type JsonCase } from '../support/json-cases.ts';
import { assertDocument, assertErrorDocument, listUnseenFields } from '../support/json-schema.ts';
import { prepareJsonSite, type JsonSite } from '../support/json-site.ts';

/** What only other tests bring about: a registry that refuses to look for a blob, and signatures with a certificate of Sigstore. */
const RARE_FIELDS: readonly string[] = [
  'unwrap missing[].reason',
  'verify signatures[].signer.identity',
  'verify signatures[].signer.issuer',
];

test('every command prints what its schema says, and a failure what that of errors says', async (t) => {
  const site = await prepareJsonSite(t);
  if (site === undefined) return;
  const cases = listJsonCases(site);
  for (const item of cases) await t.test(describeCase(item), async () => runCase(site, item));
  const succeeded = new Set(cases.filter(({ code = 0 }) => code === 0).map(({ command }) => command));
  assert.deepEqual([...succeeded].sort(), Object.keys(COMMANDS).sort());
  const codes = new Set(cases.map(({ code = 0 }) => code));
  assert.deepEqual(
    [...codes].sort(),
    Object.values(EXIT_CODES).filter((code) => code !== EXIT_CODES.interrupted),
  );
  await t.test('every field was in some document', () => {
    assert.deepEqual(listUnseenFields(), RARE_FIELDS);
  });
});

async function runCase(
  { sandbox, env }: JsonSite,
  { command, args, code = 0, stdin, env: own }: JsonCase,
): Promise<void> {
  const argv = [...command.split(':'), ...args, '--json'];
  const result = await sandbox.run(argv, { env: { ...env, ...own }, ...(stdin === undefined ? {} : { stdin }) });
  assert.equal(result.code, code, result.stderr);
  if (code === 0) assertDocument(command, result.stdout);
  else assert.equal((assertErrorDocument(result.stdout)['error'] as { exitCode: number }).exitCode, code);
}

function describeCase({ command, args, code = 0 }: JsonCase): string {
  return `${toSchemaName(command)} ${args.join(' ')} ends with ${String(code)}`.replaceAll(/127\.0\.0\.1:\d+/g, 'HOST');
}

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatJsonPage } from '../../scripts/lib/json-page.ts';
import { REPOSITORY_ROOT } from '../../scripts/lib/run-command.ts';
import {
  COMMON_SCHEMA,
  listFields,
  readSchemas,
  sharedName,
  toSchemaName,
  type JsonSchema,
} from '../../scripts/lib/schema-fields.ts';
import { COMMANDS } from '../../src/commands/index.ts';
import { findValidator } from '../support/json-schema.ts';

const SCHEMAS = readSchemas();
const SHARED = SCHEMAS.get(COMMON_SCHEMA)?.$defs ?? {};
const SHAPES: readonly (readonly [string, JsonSchema])[] = [...SCHEMAS, ...Object.entries(SHARED)];

test('there is a schema for every command, and for nothing else', () => {
  const wanted = [...Object.keys(COMMANDS).map(toSchemaName), COMMON_SCHEMA, 'error'];
  assert.deepEqual([...SCHEMAS.keys()], wanted.sort());
});

for (const [name, schema] of SCHEMAS) {
  test(`schema ${name} is valid, and its title is the command`, () => {
    assert.ok(findValidator(schema));
    assert.equal(schema.$id, `urn:helm-dt:${name}`);
    const command = Object.keys(COMMANDS).find((id) => toSchemaName(id) === name);
    if (command !== undefined) assert.equal(schema.title, `dt ${command.replaceAll(':', ' ')}`);
  });
}

test('the package carries the schemas', async () => {
  const { files } = JSON.parse(await readFile(join(REPOSITORY_ROOT, 'package.json'), 'utf8')) as { files: string[] };
  assert.ok(files.includes('schemas'));
});

test('every document may have warnings', () => {
  for (const [name, schema] of SCHEMAS) {
    if ([COMMON_SCHEMA, 'error'].includes(name)) continue;
    for (const shape of schema.oneOf ?? [schema]) {
      assert.equal(sharedName(shape.properties?.['warnings']?.$ref ?? ''), 'warnings', name);
      assert.ok(!shape.required?.includes('warnings'), name);
    }
  }
});

test('objects are closed, and every field says in one sentence what it is', () => {
  for (const [name, shape] of SHAPES) {
    requireClosed(shape, name);
    for (const { path, schema } of listFields(shape)) {
      for (const { description, $ref } of schema.oneOf ?? [schema]) {
        const text = description ?? ($ref === undefined ? undefined : SHARED[sharedName($ref)]?.description);
        assert.match(text ?? '', /^[A-Z.][^\n]+[^.]\.$/, `${name} ${path}`);
      }
    }
  }
});

test('docs/json.md is in step with the schemas; scripts/json-docs.ts writes it', async () => {
  assert.equal(await readFile(join(REPOSITORY_ROOT, 'docs', 'json.md'), 'utf8'), formatJsonPage(SCHEMAS));
});

function requireClosed(schema: JsonSchema, name: string): void {
  const { additionalProperties, properties, items, oneOf = [] } = schema;
  if (properties !== undefined) assert.equal(additionalProperties, false, name);
  const inner = [...Object.values(properties ?? {}), ...oneOf, ...(items === undefined ? [] : [items])];
  for (const child of inner) requireClosed(child, name);
}

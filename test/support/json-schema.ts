import assert from 'node:assert/strict';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import {
  COMMON_SCHEMA,
  joinPath,
  listFields,
  readSchemas,
  sharedName,
  toSchemaName,
  type JsonSchema,
} from '../../scripts/lib/schema-fields.ts';

const SCHEMAS = readSchemas();
const ERROR_SCHEMA = 'error';
/** Every document can have them, whoever warns. */
const WARNINGS = 'warnings';

/** In strict mode: what a schema says twice, or in vain, is an error. */
const checker = new Ajv2020({ allErrors: true, strict: true, schemas: [...SCHEMAS.values()] });

/** `SCHEMA PATH` of every field that was in a document. */
const seenFields = new Set<string>();
const validators = new Map<JsonSchema, ValidateFunction>();

/** The document that a command has printed, which is nothing but what its schema says. `command` as in the table, `images:lock`. */
export function assertDocument(command: string, text: string): Record<string, unknown> {
  return assertShape(toSchemaName(command), text);
}

/** The command of a command line that begins with its words. */
export function findCommand(words: readonly string[]): string {
  const counts = [3, 2, 1];
  const ids = counts.map((count) => words.slice(0, count).join(':'));
  return ids.find((id) => SCHEMAS.has(toSchemaName(id))) ?? words[0] ?? '';
}

/** The same for a command that failed. */
export function assertErrorDocument(text: string): Record<string, unknown> {
  return assertShape(ERROR_SCHEMA, text);
}

/**
 * `SCHEMA PATH` of all fields that no document had so far, but for warnings; those of shared shapes stand under the name of the
 * shape.
 */
export function listUnseenFields(): string[] {
  const shared = SCHEMAS.get(COMMON_SCHEMA)?.$defs ?? {};
  const shapes = [...SCHEMAS, ...Object.entries(shared).map(([name, schema]) => [nameShared(name), schema] as const)];
  return shapes
    .flatMap(([name, schema]) => listFields(schema).map(({ path }) => `${name} ${path}`))
    .filter((field) => !seenFields.has(field) && !field.endsWith(` ${WARNINGS}`));
}

function assertShape(name: string, text: string): Record<string, unknown> {
  const schema = SCHEMAS.get(name);
  assert.ok(schema !== undefined, `there is no schema ${name}`);
  const document = JSON.parse(text) as Record<string, unknown>;
  const validate = findValidator(schema);
  assert.ok(validate(document), `${name}: ${checker.errorsText(validate.errors)}\n${text}`);
  markFields(name, schema, document, '');
  return document;
}

/** What checks documents of this schema, or of a part of one. Throws for a schema that is not valid. */
export function findValidator(schema: JsonSchema): ValidateFunction {
  const named = schema.$id === undefined ? undefined : checker.getSchema(schema.$id);
  const validate = validators.get(schema) ?? named ?? checker.compile(schema);
  validators.set(schema, validate);
  return validate;
}

function markFields(name: string, schema: JsonSchema, value: unknown, path: string): void {
  const { $ref, oneOf, items, additionalProperties, properties = {} } = schema;
  if ($ref !== undefined) {
    const target = sharedName($ref);
    markFields(nameShared(target), SCHEMAS.get(COMMON_SCHEMA)?.$defs?.[target] ?? {}, value, '');
  } else if (oneOf !== undefined) {
    const branch = oneOf.find((alternative) => findValidator(alternative)(value));
    if (branch !== undefined) markFields(name, branch, value, path);
  } else if (Array.isArray(value) && items !== undefined) {
    for (const item of value) markFields(name, items, item, `${path}[]`);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      const isNamed = Object.hasOwn(properties, key);
      const field = joinPath(path, isNamed ? key : '*');
      if (isNamed) seenFields.add(`${name} ${field}`);
      const inner = isNamed ? properties[key] : additionalProperties;
      if (typeof inner === 'object') markFields(name, inner, item, field);
    }
  }
}

function nameShared(name: string): string {
  return `${COMMON_SCHEMA}/${name}`;
}

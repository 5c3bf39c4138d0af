import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY_ROOT } from './run-command.ts';

const SCHEMA_FOLDER = join(REPOSITORY_ROOT, 'schemas');
const SCHEMA_EXTENSION = '.schema.json';
const ID_PREFIX = 'urn:helm-dt:';

/** As much of JSON Schema 2020-12 as our schemas use. */
export interface JsonSchema {
  readonly $id?: string;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly title?: string;
  readonly description?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly oneOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
}

export interface SchemaField {
  /** For instance `images[].platforms`; `*` stands for any name. */
  readonly path: string;
  readonly schema: JsonSchema;
  /** True if every object around it has it. */
  readonly isRequired: boolean;
}

/** Name of the schema of shapes that documents have in common. */
export const COMMON_SCHEMA = 'common';

/** The name of the schema of a command: its words with `-` between them. */
export function toSchemaName(commandId: string): string {
  return commandId.replaceAll(':', '-');
}

/** All schemas of the package by their names, which are those of their files. */
export function readSchemas(): ReadonlyMap<string, JsonSchema> {
  return new Map(
    readdirSync(SCHEMA_FOLDER)
      .filter((file) => file.endsWith(SCHEMA_EXTENSION))
      .sort()
      .map((file) => [
        file.slice(0, -SCHEMA_EXTENSION.length),
        JSON.parse(readFileSync(join(SCHEMA_FOLDER, file), 'utf8')) as JsonSchema,
      ]),
  );
}

/** `lock` of a reference to a shared shape. */
export function sharedName(ref: string): string {
  return ref.slice(`${ID_PREFIX}${COMMON_SCHEMA}#/$defs/`.length);
}

/** The fields of a shape in their order. What a shared shape has inside is not among them. Alternatives give each field once. */
export function listFields(schema: JsonSchema, path = ''): SchemaField[] {
  const { oneOf, items, additionalProperties, properties = {}, required = [] } = schema;
  if (oneOf !== undefined) return mergeFields(oneOf.map((branch) => listFields(branch, path)));
  if (items !== undefined) return listFields(items, `${path}[]`);
  if (typeof additionalProperties === 'object') return listFields(additionalProperties, joinPath(path, '*'));
  return Object.entries(properties).flatMap(([name, property]) => {
    const fieldPath = joinPath(path, name);
    return [
      { path: fieldPath, schema: property, isRequired: required.includes(name) },
      ...listFields(property, fieldPath),
    ];
  });
}

export function joinPath(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

/** A field of several alternatives means in each what that says. */
function mergeFields(branches: readonly (readonly SchemaField[])[]): SchemaField[] {
  const fields = new Map<string, SchemaField>();
  for (const field of branches.flat()) {
    const known = fields.get(field.path);
    const isRequired = branches.every((branch) =>
      branch.some(({ path, isRequired: own }) => path === field.path && own),
    );
    const schemas = [...(known?.schema.oneOf ?? (known === undefined ? [] : [known.schema])), field.schema];
    fields.set(field.path, {
      path: field.path,
      isRequired,
      schema: known === undefined ? field.schema : { oneOf: schemas },
    });
  }
  return [...fields.values()];
}

import { COMMON_SCHEMA, listFields, sharedName, type JsonSchema, type SchemaField } from './schema-fields.ts';

type Shapes = Readonly<Record<string, JsonSchema>>;

const INTRODUCTION = `# JSON documents

<!-- Made of the files in schemas/ by scripts/json-docs.ts: change those. -->

With \`--json\` every command prints one document on standard output, and nothing else goes there. The shapes are stable: a field that is
there keeps its name and its meaning; new fields may come. Each shape is a JSON Schema (2020-12) in the folder \`schemas\` of the package.

- \`charts\`, \`images\` and \`locks\` are lists, also of one. In a list of images \`reference\` is the image as the chart names it.
- Sizes are in bytes and end in \`Bytes\`, numbers of things in \`Count\`, times in \`Ms\` (milliseconds). Digests are \`sha256:…\`.
- \`file\` is a path as it was given, or as it was chosen.
- What is told of a file in another format has the names of that format: \`locks\` (Images.lock), \`contents\` (.dt/wrap.json), an inventory.
- A command that fails prints the [error document](#a-command-that-failed) instead, and ends with its exit code.
`;

/** The page of all documents, in Markdown: one section for each command, then the shapes that they share. */
export function formatJsonPage(schemas: ReadonlyMap<string, JsonSchema>): string {
  const documents = [...schemas]
    .filter(([name]) => ![COMMON_SCHEMA, 'error'].includes(name))
    .map(([, schema]) => schema);
  const [error, common] = [schemas.get('error') ?? {}, schemas.get(COMMON_SCHEMA) ?? {}];
  const shared = common.$defs ?? {};
  const objects = Object.entries(shared).filter(([, schema]) => schema.properties !== undefined);
  return [
    INTRODUCTION,
    ...[...documents, error].map((schema) => formatDocument(schema, shared)),
    '## Shared shapes\n',
    ...objects.map(([name, schema]) =>
      [`### ${name}\n`, `${schema.description ?? ''}\n`, formatTable(schema, shared)].join('\n'),
    ),
  ].join('\n');
}

function formatDocument(schema: JsonSchema, shared: Shapes): string {
  const shapes = schema.oneOf ?? [schema];
  return [
    `## ${schema.title ?? ''}\n`,
    `${schema.description ?? ''}\n`,
    ...shapes.flatMap((shape) => [
      ...(shape === schema ? [] : [`${shape.description ?? ''}\n`]),
      formatTable(shape, shared),
    ]),
  ].join('\n');
}

function formatTable(schema: JsonSchema, shared: Shapes): string {
  const rows = listFields(schema).map((field) => formatRow(field, shared));
  return ['| field | type | there | meaning |', '|---|---|---|---|', ...rows, ''].join('\n');
}

function formatRow({ path, schema, isRequired }: SchemaField, shared: Shapes): string {
  const cells = [
    `\`${path}\``,
    describeType(schema),
    isRequired ? 'always' : 'sometimes',
    describeMeaning(schema, shared),
  ];
  return `| ${cells.join(' | ')} |`;
}

function describeType(schema: JsonSchema): string {
  const { $ref, enum: values, items, oneOf, additionalProperties, type } = schema;
  if ('const' in schema) return code(schema.const);
  if (values !== undefined) return values.map(code).join(', ');
  if ($ref !== undefined) return describeShared(sharedName($ref));
  if (oneOf !== undefined) return [...new Set(oneOf.map(describeType))].join(', ');
  if (items !== undefined) return `list of ${describeType(items)}`;
  if (typeof additionalProperties === 'object') return `${describeType(additionalProperties)} by name`;
  return type ?? '';
}

function describeShared(name: string): string {
  switch (name) {
    case 'warnings':
      return 'list of string';
    case 'digest':
    case 'reference':
      return name;
    case 'platformName':
      return 'platform';
    case 'mediaType':
      return 'media type';
    default:
      return `[${name}](#${name.toLowerCase()})`;
  }
}

function describeMeaning({ description, oneOf, $ref }: JsonSchema, shared: Shapes): string {
  if (description !== undefined) return description;
  if (oneOf !== undefined) return [...new Set(oneOf.map(describeAlternative))].join(' ');
  return $ref === undefined ? '' : (shared[sharedName($ref)]?.description ?? '');
}

function describeAlternative(schema: JsonSchema): string {
  return 'const' in schema ? `${code(schema.const)}: ${schema.description ?? ''}` : (schema.description ?? '');
}

function code(value: unknown): string {
  return `\`${JSON.stringify(value)}\``;
}

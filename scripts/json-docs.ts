import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatJsonPage } from './lib/json-page.ts';
import { REPOSITORY_ROOT } from './lib/run-command.ts';
import { readSchemas } from './lib/schema-fields.ts';

/** Writes docs/json.md from the schemas. */
await writeFile(join(REPOSITORY_ROOT, 'docs', 'json.md'), formatJsonPage(readSchemas()));

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

/** The part of esbuild's metafile that is read here: https://esbuild.github.io/api/#metafile */
interface Metafile {
  readonly outputs: Readonly<
    Record<
      string,
      {
        readonly imports: readonly { readonly path: string; readonly kind: string; readonly external?: boolean }[];
        readonly inputs: Readonly<Record<string, unknown>>;
      }
    >
  >;
}

/** `semver` is not among them: oclif itself loads it. */
const HEAVY = ['got', 'listr2', '@listr2', '@inquirer', 'tar-stream', 'js-yaml', '@sigstore', '@noble'];
const metafile = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', '..', 'dist', 'meta.json'), 'utf8'),
) as Metafile;

test('start-up loads oclif and thin commands only', () => {
  const inputs = listStartUpInputs();
  assert.ok(
    inputs.some((path) => path.includes('node_modules/@oclif/core/')),
    'the entry is found',
  );
  const heavy = inputs.filter((path) => HEAVY.some((library) => path.includes(`node_modules/${library}/`)));
  assert.deepEqual(heavy, []);
  const workflows = inputs.filter((path) => /^src\/(?:workflows|content|transport|archive|server|trust)\//.test(path));
  assert.deepEqual(workflows, []);
});

test('the bundle leaves the TypeScript compiler out', () => {
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.keys(output.inputs));
  assert.ok(!inputs.some((path) => path.includes('node_modules/typescript/')));
});

/** The source files that run at every start: the entry, the program that it loads, and what these import statically. */
function listStartUpInputs(): string[] {
  const entry = 'dist/main.js';
  const pending = [entry];
  const seen = new Set<string>(pending);
  for (const path of pending) {
    for (const { path: imported, kind, external } of metafile.outputs[path]?.imports ?? []) {
      if ((kind === 'dynamic-import' && path !== entry) || external === true || seen.has(imported)) continue;
      seen.add(imported);
      pending.push(imported);
    }
  }
  return [...seen].flatMap((path) => Object.keys(metafile.outputs[path]?.inputs ?? {}));
}

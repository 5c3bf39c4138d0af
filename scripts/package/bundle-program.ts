import { basename } from 'node:path';
import { build, transform, type BuildOptions, type Metafile } from 'esbuild';
import { builtinModules } from '../lib/builtin-modules.ts';
import { REPOSITORY_ROOT } from '../lib/run-command.ts';

const TARGET = 'node22.13';
const NON_ASCII = /[^\0-\x7f]/g;

export interface BundledProgram {
  /** The source of each module by its name, as a function of what a CommonJS module has. `main.js` runs the program. */
  readonly modules: ReadonlyMap<string, string>;
  /** What went into it. */
  readonly metafiles: readonly Metafile[];
}

/** Bundles the program into modules that need no file beside them: only ASCII, loaded by the loaders in this folder. */
export async function bundleProgram(): Promise<BundledProgram> {
  const common = {
    absWorkingDir: REPOSITORY_ROOT,
    outdir: 'bundle',
    bundle: true,
    platform: 'node',
    target: TARGET,
    keepNames: true,
    minify: true,
    legalComments: 'none',
    plugins: [builtinModules],
    logLevel: 'warning',
    write: false,
    metafile: true,
  } as const satisfies BuildOptions;
  const worker = await build({ ...common, format: 'cjs', entryPoints: ['src/archive/blob-worker.ts'] });
  const program = await build({
    ...common,
    format: 'esm',
    splitting: true,
    entryPoints: ['src/main.ts'],
    // oclif asks for it only to read the tsconfig of a developer's checkout.
    external: ['typescript'],
    define: {
      IS_PACKAGE: 'true',
      BLOB_WORKER_CODE: JSON.stringify(worker.outputFiles[0]?.text),
      'import.meta.dirname': '__dirname',
      'import.meta.url': '"file:///dt"',
    },
  });
  const modules = new Map<string, string>();
  for (const { path, text } of program.outputFiles) modules.set(basename(path), await toModule(text));
  return { modules, metafiles: [program.metafile, worker.metafile] };
}

/** ES modules cannot be loaded from memory; CommonJS can, and `import()` in it is a `require` that answers later. */
async function toModule(source: string): Promise<string> {
  const { code } = await transform(source, {
    format: 'cjs',
    platform: 'node',
    target: TARGET,
    minifySyntax: true,
    minifyWhitespace: true,
    supported: { 'dynamic-import': false },
  });
  // esbuild leaves them in regular expressions.
  const ascii = code.replace(NON_ASCII, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `(function(exports,require,module,__filename,__dirname){${ascii}\n})`;
}

import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { build, type BuildOptions, type Plugin } from 'esbuild';

/** oclif is CommonJS: inside an ES module it needs these three. */
const REQUIRE_BANNER = `import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;`;

/**
 * Takes Node's own modules without their ESM facade: making that reads every getter of `node:http`, which loads all of
 * `fetch` and WebSocket for nothing (half of the time that the HTTP client takes to load).
 */
const builtinModules: Plugin = {
  name: 'builtin-modules',
  setup(bundle) {
    bundle.onResolve({ filter: /^[a-z:_/0-9]+$/ }, ({ path }) =>
      isBuiltin(path) ? { path: path.startsWith('node:') ? path : `node:${path}`, namespace: 'builtin' } : undefined,
    );
    bundle.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
  },
};

const root = join(import.meta.dirname, '..');
const outdir = join(root, 'dist');

await rm(outdir, { recursive: true, force: true });
const common = {
  absWorkingDir: root,
  outdir,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.13',
  keepNames: true,
  minify: false,
  banner: { js: REQUIRE_BANNER },
  plugins: [builtinModules],
  logLevel: 'warning',
} as const satisfies BuildOptions;
const result = await build({
  ...common,
  entryPoints: ['src/main.ts'],
  splitting: true,
  // Each workflow becomes a chunk of its own, loaded by the command that needs it.
  chunkNames: 'chunks/[name]-[hash]',
  // oclif asks for it only to read the tsconfig of a developer's checkout.
  external: ['typescript'],
  metafile: true,
});
// The thread that writes wraps: one file, without anything that it shares with the program.
await build({ ...common, entryPoints: ['src/archive/blob-worker.ts'] });
await mkdir(outdir, { recursive: true });
await writeFile(join(outdir, 'meta.json'), JSON.stringify(result.metafile));
await writeFile(join(outdir, 'package.json'), '{"type":"module"}\n');
await chmod(join(root, 'bin', 'dt'), 0o755);

import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { build, type BuildOptions, type OutputFile } from 'esbuild';
import { describeCommands, describeGlobalFlags } from '../src/commands/describe-commands.ts';
import { builtinModules } from './lib/builtin-modules.ts';
import { formatCompletionYaml } from './lib/completion-yaml.ts';
import { formatManPage } from './lib/man-page.ts';
import { runCommand } from './lib/run-command.ts';

/** oclif is CommonJS: inside an ES module it needs these three. */
const REQUIRE_BANNER = `import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;`;

const root = join(import.meta.dirname, '..');
const outdir = join(root, 'dist');

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
  write: false,
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
const worker = await build({ ...common, entryPoints: ['src/archive/blob-worker.ts'] });
await replaceOutput([...result.outputFiles, ...worker.outputFiles], JSON.stringify(result.metafile));
// Helm looks for it beside plugin.yaml.
await replaceFile(join(root, 'completion.yaml'), formatCompletionYaml(describeCommands()));
await chmod(join(root, 'bin', 'dt'), 0o755);
await fillCompileCache();

/** Writes beside the old output and puts it in its place, so that a program that runs meanwhile finds its chunks. */
async function replaceOutput(files: readonly OutputFile[], metafile: string): Promise<void> {
  const [next, previous] = [`${outdir}.next`, `${outdir}.previous`];
  await rm(next, { recursive: true, force: true });
  for (const { path, contents } of files) {
    const target = join(next, relative(outdir, path));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, contents);
  }
  await writeFile(join(next, 'meta.json'), metafile);
  await mkdir(join(next, 'man'));
  await writeFile(join(next, 'man', 'dt.1'), formatManPage(describeCommands(), describeGlobalFlags()));
  await writeFile(join(next, 'package.json'), '{"type":"module"}\n');
  await rm(previous, { recursive: true, force: true });
  await rename(outdir, previous).catch(() => undefined);
  await rename(next, outdir);
  await rm(previous, { recursive: true, force: true });
}

/** For a file that Helm may read at the same time. */
async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.next`, text);
  await rename(`${path}.next`, path);
}

/** Runs the commands once as far as they load their code: the program finds it compiled from then on. */
async function fillCompileCache(): Promise<void> {
  const absent = join(outdir, 'absent');
  for (const args of [
    ['version'],
    ['--help'],
    ['info', absent],
    ['wrap', absent],
    ['unwrap', absent, 'localhost:1'],
    ['__complete', 'unwrap', ''],
  ]) {
    await runCommand(process.execPath, [join(outdir, 'main.js'), ...args], { isCaptured: true });
  }
}

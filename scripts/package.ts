import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { PROVENANCE_EXTENSION } from '../src/domain/plugin/plugin-artifact.ts';
import { readSourceDateSeconds } from '../src/workflows/source-date.ts';
import { REPOSITORY_ROOT, runCommand } from './lib/run-command.ts';
import { buildPackage } from './package/build-package.ts';
import { bundleProgram } from './package/bundle-program.ts';
import { NODE_VERSION } from './package/fetch-node.ts';
import { PLATFORMS, type Platform } from './package/platforms.ts';
import { signPackage } from './package/sign-package.ts';
import { listBundledPackages } from './package/third-party.ts';

const CHECKSUMS = 'SHA256SUMS';
const PACKAGE = /^dt-.*\.tgz$/;

const { values } = parseArgs({
  options: {
    platform: { type: 'string', multiple: true },
    out: { type: 'string', default: 'out' },
    sign: { type: 'string' },
  },
});
if (process.versions.node !== NODE_VERSION) {
  fail(`this is Node.js ${process.versions.node}, and scripts/package/node-binaries.json has ${NODE_VERSION}`);
}
const platforms = choosePlatforms(values.platform ?? []);
const folder = resolve(REPOSITORY_ROOT, values.out);
await mkdir(folder, { recursive: true });
const program = await bundleProgram();
const sources = {
  program,
  packages: await listBundledPackages(program.metafiles),
  builtAt: await readBuildTime(),
};
for (const platform of platforms) {
  const { archives, isWhole } = await buildPackage(platform, sources);
  if (!isWhole) {
    tell(
      `${platform.name}: nothing here signs for macOS (codesign, rcodesign): this package needs a Node.js on the host`,
    );
  }
  for (const [name, bytes] of archives) {
    // The signature of an earlier build is not that of this one.
    await rm(join(folder, name + PROVENANCE_EXTENSION), { force: true });
    await replaceFile(join(folder, name), bytes);
    tell(`${name} ${(bytes.length / 1e6).toFixed(1)} MB`);
    if (values.sign !== undefined) await sign(join(folder, name), values.sign);
  }
}
await replaceFile(join(folder, CHECKSUMS), await listChecksums());

function choosePlatforms(names: readonly string[]): readonly Platform[] {
  const known = PLATFORMS.map(({ name }) => name);
  const unknown = names.find((name) => !known.some((other) => other === name));
  if (unknown !== undefined) fail(`there is no platform "${unknown}", only ${known.join(', ')}`);
  return names.length === 0 ? PLATFORMS : PLATFORMS.filter(({ name }) => names.includes(name));
}

/** The time of everything in the packages: SOURCE_DATE_EPOCH, or that of the commit. */
async function readBuildTime(): Promise<Date> {
  const asked = readSourceDateSeconds(process.env);
  if (asked !== undefined) return new Date(asked * 1000);
  const { code, output } = await runCommand('git', ['log', '-1', '--format=%ct'], { isCaptured: true });
  if (code !== 0) fail('this is no git checkout: set SOURCE_DATE_EPOCH to the time of the release');
  return new Date(Number(output.trim()) * 1000);
}

async function sign(archivePath: string, key: string): Promise<void> {
  tell(basename(await signPackage(archivePath, { key, passphrase: process.env['GPG_PASSPHRASE'] })));
}

/** Of all packages in the folder, those of earlier runs included. */
async function listChecksums(): Promise<string> {
  const lines: string[] = [];
  for (const name of (await readdir(folder)).filter((file) => PACKAGE.test(file)).sort()) {
    const digest = createHash('sha256').update(await readFile(join(folder, name)));
    lines.push(`${digest.digest('hex')}  ${name}\n`);
  }
  return lines.join('');
}

/** Never leaves half a file under the name. */
async function replaceFile(path: string, content: string | Buffer): Promise<void> {
  await rm(`${path}.partial`, { force: true });
  await writeFile(`${path}.partial`, content);
  await rename(`${path}.partial`, path);
}

function tell(text: string): void {
  process.stdout.write(`${text}\n`);
}

function fail(text: string): never {
  process.stderr.write(`package: ${text}\n`);
  process.exit(1);
}

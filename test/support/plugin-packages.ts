import { createWriteStream } from 'node:fs';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { TestContext } from 'node:test';
import { createGzip } from 'node:zlib';
import { pack, type Pack } from 'tar-stream';
import { REPOSITORY_ROOT, runCommand } from '../../scripts/lib/run-command.ts';
import { PRODUCT_VERSION } from '../../src/domain/product.ts';
import { packageName, requirePackages } from './built-packages.ts';
import { DT_PATH } from './run-cli.ts';

export interface StandInOptions {
  readonly version?: string;
  /** Of the file name: `dt-VERSION-PLATFORM.tgz`. */
  readonly platform?: string;
  /** Without the folder `dt/` around its files, as Helm 3 installs them over http. */
  readonly isFlat?: boolean;
  /** What the program does instead of starting the one of this checkout. */
  readonly program?: string;
  /** In place of the plugin.yaml that belongs to it. */
  readonly pluginFile?: string;
}

/** The version of `createStandIn` unless told. */
export const STAND_IN_VERSION = '9.8.7';

/**
 * Writes a package in the layout of the real ones, whose program starts the built one of this checkout: what Helm makes of a package does not
 * depend on what is in the program, and these are small. Returns its path.
 */
export async function createStandIn(folder: string, options: StandInOptions = {}): Promise<string> {
  const { version = STAND_IN_VERSION, platform = 'linux-x64', isFlat = false } = options;
  await mkdir(folder, { recursive: true });
  const path = join(folder, `dt-${version}-${platform}.tgz`);
  const archive = pack();
  await Promise.all([
    pipeline(archive, createGzip(), createWriteStream(path)),
    addFiles(archive, isFlat ? '' : 'dt/', { version, ...options }),
  ]);
  return path;
}

async function addFiles(
  archive: Pack,
  prefix: string,
  { version = '', program, pluginFile }: StandInOptions,
): Promise<void> {
  const shipped = await readFile(join(REPOSITORY_ROOT, 'plugin.yaml'), 'utf8');
  const files: Readonly<Record<string, string>> = {
    'plugin.yaml':
      pluginFile ??
      shipped
        .replace(/^version: .*$/m, `version: ${version}`)
        .replaceAll('{HELM_PLUGIN_DIR}/bin/dt', '{HELM_PLUGIN_DIR}/dt'),
    dt: program ?? `#!/bin/sh\nexport DT_NODE='${process.execPath}'\nexec '${DT_PATH}' "$@"\n`,
    'plugin.complete': '#!/bin/sh\nexec "$(dirname "$0")/dt" __complete "$@"\n',
    'completion.yaml': await readFile(join(REPOSITORY_ROOT, 'completion.yaml'), 'utf8'),
  };
  for (const [name, text] of Object.entries(files)) {
    archive.entry({ name: prefix + name, mode: name.includes('yaml') ? 0o644 : 0o755, mtime: new Date(0) }, text);
  }
  archive.finalize();
}

/** A package as one archive with a folder in it, and as one without. */
export interface PackageFiles {
  readonly version: string;
  readonly platform: string;
  /** Files in `dt/`. */
  readonly named: string;
  /** Files at the root. */
  readonly flat: string;
}

export interface PackageKind {
  readonly name: string;
  /** What its program needs in the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Copies the package into the folder. Undefined, with the test skipped, where it cannot be had. */
  create(t: TestContext, folder: string): Promise<PackageFiles | undefined>;
}

/** Stands for every package where only Helm plays a part. */
export const STAND_IN: PackageKind = {
  name: 'a stand-in',
  create: async (_t, folder) => ({
    version: STAND_IN_VERSION,
    platform: 'linux-x64',
    named: await createStandIn(folder),
    flat: await createStandIn(join(folder, 'flat'), { isFlat: true }),
  }),
};

/** A package as `npm run package` makes it. The one for every platform needs a Node.js. */
function describeReal(platform: string, env: Readonly<Record<string, string>> = {}): PackageKind {
  return {
    name: `the package for ${platform}`,
    env,
    create: async (t, folder) => {
      const built = await requirePackages(t);
      if (built === undefined) return undefined;
      await mkdir(folder, { recursive: true });
      const [named, flat] = [packageName(platform), packageName(platform, true)];
      for (const name of [named, flat]) await copyFile(join(built.folder, name), join(folder, name));
      return { version: PRODUCT_VERSION, platform, named: join(folder, named), flat: join(folder, flat) };
    },
  };
}

/** Every kind of package that can be installed here. */
export const PACKAGE_KINDS: readonly PackageKind[] = [
  STAND_IN,
  describeReal('linux-x64'),
  describeReal('universal', { DT_NODE: process.execPath }),
];

/** Unpacks a package into `dt` below the folder, which it returns. */
export async function unpackPackage(archive: string, folder: string): Promise<string> {
  const { code, output } = await runCommand('tar', ['-xzf', archive, '-C', folder], { isCaptured: true });
  if (code !== 0) throw new Error(output);
  return join(folder, 'dt');
}

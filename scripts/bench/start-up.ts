import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { findTool } from '../../test/support/tools.ts';
import { runCommand, runScript } from '../lib/run-command.ts';
import { isHost, PLATFORMS } from '../package/platforms.ts';
import { measureInTurn, type Command, type Run } from './measure.ts';

/** A start takes little time and varies much. */
const ROUNDS_FACTOR = 3;
const FIRST_LAYOUT = /-(?:x64|arm64|universal)\.tgz$/;

/** Of the packages for this machine: the one with an executable and the one for the Node.js of the host. */
export interface StartUp {
  /** By what was run. `node -e 0` is in it, `helm version` where there is a Helm. */
  readonly runs: Readonly<Record<string, readonly Run[]>>;
  readonly packageBytes: number;
}

export const NODE_START = 'node -e 0';
export const EXECUTABLE_START = 'executable: version';

export interface StartUpOptions {
  /** The Node.js that runs the bundle. */
  readonly node: string;
  readonly wrapFile: string;
  readonly rounds: number;
  readonly folder: string;
}

/** Builds the packages and measures how long their programs take to start. Undefined where there is no executable for this machine. */
export async function measureStartUp({ node, wrapFile, rounds, folder }: StartUpOptions): Promise<StartUp | undefined> {
  const host = PLATFORMS.find((platform) => isHost(platform))?.name;
  if (host === undefined) return undefined;
  const out = join(folder, 'packages');
  const build = await runScript('scripts/package.ts', ['--platform', host, '--platform', 'universal', '--out', out]);
  if (build.code !== 0) throw new Error('the packages cannot be built');
  const programs = await unpack(out, host);
  const dt: Readonly<Record<string, Command>> = {
    executable: { program: join(programs.executable, 'dt'), args: [] },
    bundle: { program: node, args: [join(programs.universal, 'dt.cjs')] },
  };
  const commands: Record<string, () => Promise<Command>> = {
    [NODE_START]: () => Promise.resolve({ program: node, args: ['-e', '0'] }),
  };
  for (const [kind, { program, args }] of Object.entries(dt)) {
    for (const words of [['version'], ['info', wrapFile], ['wrap', '--help']]) {
      const name = `${kind}: ${words.filter((word) => word !== wrapFile).join(' ')}`;
      commands[name] = () => Promise.resolve({ program, args: [...args, ...words] });
    }
  }
  const helm = findTool('helm4') ?? findTool('helm3');
  if (helm !== undefined) commands['helm version'] = () => Promise.resolve({ program: helm, args: ['version'] });
  return {
    runs: await measureInTurn(commands, rounds * ROUNDS_FACTOR, folder),
    packageBytes: programs.packageBytes,
  };
}

async function unpack(
  out: string,
  host: string,
): Promise<{ executable: string; universal: string; packageBytes: number }> {
  const archives = (await readdir(out)).filter((name) => FIRST_LAYOUT.test(name));
  const unpackOne = async (platform: string): Promise<{ folder: string; archive: string }> => {
    const archive = join(out, archives.find((name) => name.endsWith(`-${platform}.tgz`)) ?? platform);
    const folder = join(out, platform);
    await mkdir(folder);
    const { code, output } = await runCommand('tar', ['-xzf', archive, '-C', folder], { isCaptured: true });
    if (code !== 0) throw new Error(output);
    return { folder: join(folder, 'dt'), archive };
  };
  const [executable, universal] = [await unpackOne(host), await unpackOne('universal')];
  return {
    executable: executable.folder,
    universal: universal.folder,
    packageBytes: (await stat(executable.archive)).size,
  };
}

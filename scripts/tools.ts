import { copyFile, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { REPOSITORY_ROOT, runCommand } from './lib/run-command.ts';

/** A tool that the tests run against, and where it may come from. */
interface Tool {
  readonly name: string;
  /** Package of a Go module with its version, built from source. */
  readonly goPackage?: string;
  /** Package of Debian and the program in it. */
  readonly debianPackage?: string;
  /** The program on PATH that will do, when its version says what `accepts` looks for. */
  readonly onPath: { readonly program: string; readonly versionArguments: readonly string[]; readonly accepts: RegExp };
}

const TOOLS: readonly Tool[] = [
  {
    name: 'crane',
    goPackage: 'github.com/google/go-containerregistry/cmd/crane@v0.22.1',
    onPath: { program: 'crane', versionArguments: ['version'], accepts: /./ },
  },
  {
    name: 'registry3',
    goPackage: 'github.com/distribution/distribution/v3/cmd/registry@v3.1.2',
    onPath: { program: 'registry', versionArguments: ['--version'], accepts: /\bv?3\./ },
  },
  {
    name: 'helm3',
    goPackage: 'helm.sh/helm/v3/cmd/helm@v3.22.0',
    onPath: { program: 'helm', versionArguments: ['version', '--short'], accepts: /^v3\./ },
  },
  {
    name: 'helm4',
    goPackage: 'helm.sh/helm/v4/cmd/helm@v4.3.1',
    onPath: { program: 'helm', versionArguments: ['version', '--short'], accepts: /^v4\./ },
  },
  {
    name: 'regctl',
    goPackage: 'github.com/regclient/regclient/cmd/regctl@v0.11.7',
    onPath: { program: 'regctl', versionArguments: ['version'], accepts: /./ },
  },
  {
    name: 'cosign',
    goPackage: 'github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3',
    onPath: { program: 'cosign', versionArguments: ['version'], accepts: /v3\./ },
  },
  {
    name: 'registry2',
    debianPackage: 'docker-registry',
    onPath: { program: 'docker-registry', versionArguments: ['--version'], accepts: /./ },
  },
  {
    name: 'skopeo',
    debianPackage: 'skopeo',
    onPath: { program: 'skopeo', versionArguments: ['--version'], accepts: /./ },
  },
  {
    name: 'nginx',
    debianPackage: 'nginx-light',
    onPath: { program: 'nginx', versionArguments: ['-v'], accepts: /./ },
  },
  {
    name: 'gpg',
    debianPackage: 'gnupg',
    onPath: { program: 'gpg', versionArguments: ['--version'], accepts: /./ },
  },
  {
    name: 'tinyproxy',
    debianPackage: 'tinyproxy',
    onPath: { program: 'tinyproxy', versionArguments: ['-v'], accepts: /./ },
  },
  {
    name: 'zsh',
    debianPackage: 'zsh',
    onPath: { program: 'zsh', versionArguments: ['--version'], accepts: /./ },
  },
  {
    name: 'fish',
    debianPackage: 'fish',
    onPath: { program: 'fish', versionArguments: ['--version'], accepts: /./ },
  },
  {
    name: 'mandoc',
    debianPackage: 'mandoc',
    onPath: { program: 'mandoc', versionArguments: ['/dev/null'], accepts: /./ },
  },
];

const binDir = join(REPOSITORY_ROOT, '.tools', 'bin');
const stampPath = join(REPOSITORY_ROOT, '.tools', 'stamp.json');

await mkdir(binDir, { recursive: true });
const stamp = await readStamp();
const missing: string[] = [];
for (const tool of TOOLS) {
  if (await provideTool(tool)) continue;
  missing.push(tool.name);
  process.stderr.write(`Tool ${tool.name} is missing: tests that need it are skipped.\n`);
}
if (missing.length > 0 && isCi()) {
  process.stderr.write('In CI every tool must be there.\n');
  process.exitCode = 1;
}

/** Puts a tool into `.tools/bin` unless it is there in the wanted version; false when no way leads to it. */
async function provideTool(tool: Tool): Promise<boolean> {
  const source = tool.goPackage ?? tool.debianPackage ?? '';
  if (stamp[tool.name] === source && existsSync(join(binDir, tool.name))) return true;
  const isProvided =
    (tool.goPackage !== undefined && (await buildGoPackage(tool.name, tool.goPackage))) ||
    (await linkFromPath(tool)) ||
    (tool.debianPackage !== undefined &&
      (await installDebianPackage(tool.debianPackage)) &&
      (await linkFromPath(tool)));
  if (!isProvided) return false;
  stamp[tool.name] = source;
  await writeFile(stampPath, `${JSON.stringify(stamp, null, 2)}\n`);
  return true;
}

async function buildGoPackage(name: string, goPackage: string): Promise<boolean> {
  if (findOnPath('go') === undefined) return false;
  process.stderr.write(`Building ${name} from ${goPackage}…\n`);
  const gobin = await mkdtemp(join(tmpdir(), 'dt-tools-'));
  try {
    const env = { ...process.env, GOBIN: gobin, CGO_ENABLED: '0' };
    const result = await runCommand('go', ['install', goPackage], { isCaptured: true, env });
    if (result.code !== 0) {
      process.stderr.write(result.output);
      return false;
    }
    const program = basename(goPackage.split('@', 1)[0] ?? '');
    // Copied beside its place and renamed: a tool that runs at the moment cannot be overwritten.
    await copyFile(join(gobin, program), join(binDir, `${name}.new`));
    await rename(join(binDir, `${name}.new`), join(binDir, name));
    return true;
  } finally {
    await rm(gobin, { recursive: true, force: true });
  }
}

async function installDebianPackage(name: string): Promise<boolean> {
  if (process.getuid?.() !== 0 || findOnPath('apt-get') === undefined) return false;
  process.stderr.write(`Installing ${name} with apt-get…\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['install', '--yes', '--no-install-recommends', name];
  const first = await runCommand('apt-get', install, { isCaptured: true, env });
  if (first.code === 0) return true;
  await runCommand('apt-get', ['update'], { isCaptured: true, env });
  const second = await runCommand('apt-get', install, { isCaptured: true, env });
  if (second.code !== 0) process.stderr.write(second.output);
  return second.code === 0;
}

async function linkFromPath(tool: Tool): Promise<boolean> {
  const path = findOnPath(tool.onPath.program);
  if (path === undefined) return false;
  const version = await runCommand(path, tool.onPath.versionArguments, { isCaptured: true });
  if (version.code !== 0 || !tool.onPath.accepts.test(version.output)) return false;
  const link = join(binDir, tool.name);
  await rm(link, { force: true });
  await symlink(path, link);
  return true;
}

function findOnPath(program: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '' && folder !== binDir);
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

async function readStamp(): Promise<Record<string, string>> {
  try {
    return JSON.parse(await readFile(stampPath, 'utf8')) as Record<string, string>;
  } catch {
    return {};
  }
}

function isCi(): boolean {
  return !['', 'false', '0'].includes(process.env['CI'] ?? '');
}

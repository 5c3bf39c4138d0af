// Runs a TypeScript file of this repository: `node scripts/bootstrap.mjs FILE [ARGUMENTS]`.
// It is plain JavaScript for any Node.js from 20 on, without dependencies, because on a fresh clone nothing else can run:
// it installs what package-lock.json names and goes on under the Node.js that came with it.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const ownNode = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
const isWindows = process.platform === 'win32';
const INSTALL_ATTEMPTS = 3;
// The package `node` starts an npm of its own, which was seen to hang on a stalled connection.
const INSTALL_TIMEOUT_MS = 240_000;

const [script, ...scriptArguments] = process.argv.slice(2);
if (script === undefined) {
  console.error('usage: node scripts/bootstrap.mjs FILE [ARGUMENTS]');
  process.exit(2);
}
if (!isInstalled()) await install();
process.exit(await run(ownNode, [join(root, script), ...scriptArguments], { stdio: 'inherit', shell: isWindows }));

/** True when node_modules holds what package-lock.json says; times of files do not tell, a checkout changes them. */
function isInstalled() {
  try {
    const wanted = readPackages(join(root, 'package-lock.json'));
    const present = readPackages(join(root, 'node_modules', '.package-lock.json'));
    return (
      existsSync(ownNode) &&
      Object.entries(wanted).every(
        ([path, entry]) =>
          path === '' || (present[path]?.version ?? (entry.optional ? entry.version : '')) === entry.version,
      )
    );
  } catch {
    return false;
  }
}

function readPackages(path) {
  return JSON.parse(readFileSync(path, 'utf8')).packages;
}

async function install() {
  for (let attempt = 1; attempt <= INSTALL_ATTEMPTS; attempt += 1) {
    console.error('Installing dependencies (npm ci)…');
    const code = await run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: root,
      stdio: ['ignore', 2, 2],
      shell: isWindows,
      // A group of its own, so that a timeout ends npm together with what it started.
      detached: !isWindows,
      timeoutMs: INSTALL_TIMEOUT_MS,
    });
    if (code === 0 && existsSync(ownNode)) return;
  }
  console.error('Could not install the dependencies: see the messages of npm above.');
  process.exit(1);
}

/** Runs a program to its end and gives its exit code. */
function run(command, args, { timeoutMs, ...options }) {
  return new Promise((resolve) => {
    const child = spawn(command, args, options);
    const stop = (signal) => {
      try {
        process.kill(options.detached ? -child.pid : child.pid, signal);
      } catch {
        // It has ended already.
      }
    };
    const timer = timeoutMs === undefined ? undefined : setTimeout(stop, timeoutMs, 'SIGKILL');
    const forward = (signal) => stop(signal);
    process.on('SIGTERM', forward).on('SIGINT', forward);
    child.on('error', (error) => {
      console.error(`Cannot run ${command}: ${error.message}`);
      resolve(1);
    });
    child.on('exit', (code) => {
      clearTimeout(timer);
      process.off('SIGTERM', forward).off('SIGINT', forward);
      resolve(code ?? 1);
    });
  });
}

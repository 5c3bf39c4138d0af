import { existsSync, watch } from 'node:fs';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { findDistribution3 } from '../../test/support/registries.ts';
import { findTool } from '../../test/support/tools.ts';
import { REPOSITORY_ROOT, runCommand, runScript } from '../lib/run-command.ts';
import { judge, type Measurements } from './budgets.ts';
import { FAILING_PERCENT } from './flaky-network.ts';
import { countReadBytes, measureInTurn, measureRun, MEMORY_SOURCE } from './measure.ts';
import { formatReport } from './report.ts';
import { measureStartUp } from './start-up.ts';
import { Workload } from './workload.ts';

const DEFAULT_ROUNDS = 7;
/** Fewer say nothing. */
const MIN_ROUNDS = 5;
const DEFAULT_MEGABYTES = 270;

const { values } = parseArgs({
  options: { rounds: { type: 'string' }, megabytes: { type: 'string' }, json: { type: 'string' } },
});
const rounds = Math.max(MIN_ROUNDS, readCount('rounds', values.rounds, DEFAULT_ROUNDS));
const megabytes = readCount('megabytes', values.megabytes, DEFAULT_MEGABYTES);
const [crane, registry] = [requireTool('crane', findTool('crane')), requireTool('registry', findDistribution3())];

const build = await runScript('scripts/build.ts');
if (build.code !== 0) process.exit(build.code);
const machine = await describeMachine(crane, registry);
process.stdout.write(`${machine.join('\n')}\n\nPushing ${String(megabytes)} MB to the source registry ...\n`);
const workload = await Workload.create({ megabytes, crane, dt: join(REPOSITORY_ROOT, 'bin', 'dt') });
try {
  process.stdout.write(`Measuring, ${String(rounds)} rounds ...\n\n`);
  const measured = await measure(workload);
  process.stdout.write(`${formatReport(measured)}\n`);
  if (values.json !== undefined) {
    const document = { machine, megabytes, rounds, budgets: judge(measured), ...measured };
    await mkdir(dirname(values.json), { recursive: true });
    await writeFile(values.json, `${JSON.stringify(document, null, 2)}\n`);
  }
} finally {
  await workload.close();
}

async function measure(work: Workload): Promise<Measurements> {
  const { folder } = work;
  const pulls = await measureInTurn(
    { wrap: async () => work.wrap(), cranePull: async () => work.cranePull() },
    rounds,
    folder,
  );
  const strayFiles = await findStrayFiles(work);
  const copies = await measureInTurn(
    {
      unwrap: async (round) => work.unwrap(`dt/${String(round)}`),
      craneCopy: async (round) => work.craneCopy(`crane/${String(round)}`),
      repeatedUnwrap: async (round) => work.unwrap(`dt/${String(round)}`),
    },
    rounds,
    folder,
  );
  const { info } = await measureInTurn({ info: () => Promise.resolve(work.info(work.wrapFile)) }, rounds, folder);
  const network = await measureInTurn(
    {
      steadyWrap: async (round) => work.wrapOverNetwork(0, round),
      flakyWrap: async (round) => work.wrapOverNetwork(FAILING_PERCENT / 100, round),
      steadyUnwrap: async (round) => work.unwrapOverNetwork(0, round, `steady/${String(round)}`),
      flakyUnwrap: async (round) => work.unwrapOverNetwork(FAILING_PERCENT / 100, round, `flaky/${String(round)}`),
    },
    rounds,
    folder,
  );
  const codeBytes = await countReadBytes(work.info(await work.lockedChartFolder()));
  const infoReadBytes = (await countReadBytes(work.info(work.wrapFile))) - codeBytes;
  const startUp = await measureStartUp({ node: findNode(), wrapFile: work.wrapFile, rounds, folder });
  const { uniqueBytes } = work;
  return {
    ...(startUp === undefined ? {} : { startUp }),
    ...pulls,
    ...copies,
    ...network,
    info,
    uniqueBytes,
    wrapBytes: (await stat(work.wrapFile)).size,
    infoReadBytes,
    strayFiles,
  };
}

/** One more wrap, under watch: whatever appears beside the output and is not the output itself. */
async function findStrayFiles(work: Workload): Promise<string[]> {
  const command = await work.wrap();
  const names = new Set<string>();
  const watcher = watch(work.outputFolder, (_, name) => {
    if (name !== null) names.add(name);
  });
  await measureRun(command, work.folder);
  watcher.close();
  const own = basename(work.wrapFile);
  return [...names].filter((name) => ![own, `${own}.partial`, `${own}.partial.lock`].includes(name));
}

async function describeMachine(cranePath: string, registryPath: string): Promise<string[]> {
  const processors = cpus();
  const version = async (program: string, argument: string): Promise<string> => {
    const { output } = await runCommand(program, [argument], { isCaptured: true });
    return output.trim().split('\n')[0] ?? '';
  };
  const node = await version(findNode(), '--version');
  return [
    `processor: ${processors[0]?.model ?? 'unknown'}, ${String(processors.length)} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    `Node.js: ${node}`,
    `crane: ${await version(cranePath, 'version')}`,
    `registry: ${(await version(registryPath, '--version')).replace(registryPath, '').trim()}`,
    `peak memory: ${MEMORY_SOURCE}`,
  ];
}

/** The Node.js that the launcher takes. */
function findNode(): string {
  const own = join(REPOSITORY_ROOT, 'node_modules', 'node', 'bin', 'node');
  return process.env['DT_NODE'] ?? (existsSync(own) ? own : process.execPath);
}

function requireTool(name: string, path: string | undefined): string {
  if (path !== undefined) return path;
  process.stderr.write(`bench: ${name} is missing; run 'npm run tools'\n`);
  process.exit(1);
}

function readCount(name: string, text: string | undefined, fallback: number): number {
  const count = Number(text ?? fallback);
  if (Number.isSafeInteger(count) && count > 0) return count;
  process.stderr.write(`bench: --${name} takes a whole number\n`);
  process.exit(2);
}

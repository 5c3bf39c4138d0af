import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { packChartArchive } from '../src/archive/chart-archive.ts';
import { buildChartTree } from '../src/domain/chart/chart-tree.ts';
import { createMemoryBackend } from '../src/server/memory-backend.ts';
import { startRegistryServer } from '../src/server/start-registry-server.ts';
import { pushChart, pushImage } from '../test/support/images.ts';
import { downloadChartFile } from './lib/download-chart-file.ts';
import { REPOSITORY_ROOT, runScript } from './lib/run-command.ts';

const dt = join(REPOSITORY_ROOT, 'bin', 'dt');
const CHART = { name: 'guestbook', version: '1.2.0', appVersion: '2.0.0' };
const IMAGES = ['web', 'api', 'cache'] as const;

/** Two registries on this machine, a chart with three images in the first, and the whole way to the second. */
async function runDemo(folder: string): Promise<void> {
  const connected = await startRegistryServer({ backend: createMemoryBackend() });
  const isolated = await startRegistryServer({ backend: createMemoryBackend() });
  try {
    say(
      `Two registries run on this machine: ${connected.host} stands for the internet, ${isolated.host} for a site without it.`,
    );
    await publishSample(connected.host);
    say(
      `The first one has the chart ${CHART.name} ${CHART.version} with ${String(IMAGES.length)} images for linux/amd64 and linux/arm64.`,
    );

    say('1. On the connected side: one file of the chart and all its images.');
    await run(dt, ['wrap', `oci://${connected.host}/charts/${CHART.name}`, '--version', CHART.version], folder);
    const file = `${CHART.name}-${CHART.version}.wrap.tgz`;

    say('2. What is in it, without unpacking:');
    await run(dt, ['info', file], folder);

    say('3. On the isolated side: the images go to the site’s registry, and the chart is rewritten to use them.');
    await run(dt, ['unwrap', file, `oci://${isolated.host}/mirror`, '--yes'], folder);

    say('4. The values of the relocated chart, comments and all:');
    await showRelocatedValues(isolated.host, folder);
  } finally {
    await Promise.all([connected.close(), isolated.close()]);
  }
}

async function publishSample(host: string): Promise<void> {
  for (const name of IMAGES) {
    await pushImage(host, `shop/${name}:1.0.0`, {
      seed: name,
      layers: 2,
      layerBytes: 1_500_000,
      sharedLayers: 1,
      sharedSeed: 'base',
    });
  }
  const files = {
    'Chart.yaml': [
      'apiVersion: v2',
      `name: ${CHART.name}`,
      `version: ${CHART.version}`,
      `appVersion: ${CHART.appVersion}`,
      'description: A sample for the demo',
      'annotations:',
      '  images: |',
      ...IMAGES.flatMap((name) => [`    - name: ${name}`, `      image: ${host}/shop/${name}:1.0.0`]),
      '',
    ].join('\n'),
    'values.yaml': [
      '# Where the images come from',
      ...IMAGES.flatMap((name) => [
        `${name}:`,
        '  image:',
        `    registry: ${host}`,
        `    repository: shop/${name}  # ours`,
        '    tag: "1.0.0"',
      ]),
      '',
    ].join('\n'),
    'templates/pods.yaml': IMAGES.map((name) =>
      [
        '---',
        'apiVersion: v1',
        'kind: Pod',
        `metadata: { name: ${name} }`,
        'spec:',
        '  containers:',
        `    - name: ${name}`,
        `      image: "{{ .Values.${name}.image.registry }}/{{ .Values.${name}.image.repository }}:{{ .Values.${name}.image.tag }}"`,
        '',
      ].join('\n'),
    ).join(''),
  };
  const tree = buildChartTree(
    Object.entries(files).map(([path, text]) => ({
      path,
      type: 'file' as const,
      mode: 0o644,
      bytes: Buffer.from(text),
    })),
  );
  await pushChart(host, 'charts', CHART, await packChartArchive(CHART.name, tree, { mtimeSeconds: 0 }));
}

async function showRelocatedValues(host: string, folder: string): Promise<void> {
  process.stdout.write(await downloadChartFile(host, `mirror/${CHART.name}`, CHART.version, 'values.yaml'));
  const helm = await findOnPath('helm');
  if (helm === undefined) {
    say(
      '(helm is not on PATH, so the chart is not rendered here. With it: helm template … shows only the site’s registry.)',
    );
    return;
  }
  say('5. Helm renders the chart from the site’s registry:');
  const home = {
    HELM_CONFIG_HOME: join(folder, 'helm'),
    HELM_CACHE_HOME: join(folder, 'helm'),
    HELM_DATA_HOME: join(folder, 'helm'),
  };
  const url = `oci://${host}/mirror/${CHART.name}`;
  await run(helm, ['template', 'demo', url, '--version', CHART.version, '--plain-http'], folder, home);
}

async function findOnPath(name: string): Promise<string | undefined> {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(directory, name);
    if (
      directory !== '' &&
      (await readFile(path).then(
        () => true,
        () => false,
      ))
    )
      return path;
  }
  return undefined;
}

async function run(
  program: string,
  args: readonly string[],
  cwd: string,
  extra: Record<string, string> = {},
): Promise<void> {
  process.stdout.write(`\n$ ${program === dt ? 'dt' : 'helm'} ${args.join(' ')}\n`);
  const child = spawn(program, args, {
    cwd,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...extra },
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  if (code !== 0) throw new Error(`${args[0] ?? program} ended with exit code ${String(code)}`);
}

function say(text: string): void {
  process.stdout.write(`\n${text}\n`);
}

const build = await runScript('scripts/build.ts');
if (build.code !== 0) process.exit(build.code);
const folder = await mkdtemp(join(tmpdir(), 'dt-demo-'));
try {
  await runDemo(folder);
  say('Done. Both registries are gone again, and nothing is left behind.');
} finally {
  await rm(folder, { recursive: true, force: true });
}

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryBackend } from '../src/server/memory-backend.ts';
import { startRegistryServer } from '../src/server/start-registry-server.ts';
import { pushShopImages, writeShopChart } from '../test/support/charts.ts';
import { startFaultProxy } from '../test/support/fault-proxy.ts';
import { runCli } from '../test/support/run-cli.ts';
import { openTerminal } from '../test/support/terminal.ts';
import { REPOSITORY_ROOT } from './lib/run-command.ts';
import { drawTerminal } from './lib/terminal-picture.ts';

/** Draws what the program looks like on a terminal into docs/pictures. Needs tmux, and Helm on PATH. */
const LAYER_BYTES = 4_000_000;
const BYTES_PER_SECOND = 2_000_000;
const PICTURES_FOLDER = join(REPOSITORY_ROOT, 'docs', 'pictures');
const COLUMNS = 90;

const endings: (() => unknown)[] = [];
const scope = { after: (end: () => unknown) => endings.push(end) } as unknown as Parameters<typeof openTerminal>[0];
const folder = await mkdtemp(join(tmpdir(), 'dt-pictures-'));
try {
  await mkdir(PICTURES_FOLDER, { recursive: true });
  const registry = await startRegistryServer({ backend: createMemoryBackend() });
  endings.push(() => registry.close());
  await pushShopImages(registry.host, LAYER_BYTES);
  const proxy = await startFaultProxy(registry.host);
  endings.push(() => proxy.close());
  await writeShopChart(join(folder, 'shop'), proxy.host);
  proxy.play({ bytesPerSecond: BYTES_PER_SECOND });
  await draw('wrap', 'dt wrap shop', /Pulling: .*MB\/s.*\n(?:.* MB of .*\n){3}/);
  proxy.play({});
  await runCli(['wrap', 'shop'], { cwd: folder });
  await draw('unwrap', `dt unwrap shop-1.2.3.wrap.tgz oci://${registry.host}/mirror --yes`, /exit 0/);
} finally {
  for (const end of endings.reverse()) await end();
  await rm(folder, { recursive: true });
}

/** Runs a command in a terminal until it looks as the pattern says, and draws that. */
async function draw(name: string, command: string, pattern: RegExp): Promise<void> {
  const terminal = await openTerminal(scope, {
    columns: COLUMNS,
    rows: 30,
    cwd: folder,
    env: { PATH: `${join(REPOSITORY_ROOT, 'bin')}:${process.env['PATH'] ?? ''}`, FORCE_COLOR: '1' },
    command,
  });
  await terminal.waitFor(pattern);
  const screen = (await terminal.capture({ withColors: true })).replace(/\n\S*exit 0[^]*$/, '');
  await terminal.press('C-c');
  await writeFile(join(PICTURES_FOLDER, `${name}.svg`), drawTerminal(`$ ${command}\n${screen}`, COLUMNS));
}

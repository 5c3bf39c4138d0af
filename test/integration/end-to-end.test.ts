import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { access, lstat, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { SHOP_IMAGES, SHOP_METADATA, pushShopImages, writeShopChart } from '../support/charts.ts';
import { parseYaml } from '../../src/domain/yaml/parse-yaml.ts';
import { readArchive } from '../support/archives.ts';
import {
  startDistribution2,
  startDistribution3,
  startEmbeddedRegistry,
  type TestRegistry,
} from '../support/registries.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { requireTool, type ToolName } from '../support/tools.ts';

const REPOSITORY_ROOT = join(import.meta.dirname, '../..');
const WRAP = 'shop-1.2.3.wrap.tgz';

const HELMS = ['helm3', 'helm4'] as const;
const DIRECTIONS = [
  { name: 'distribution 3 to distribution 2', startSource: startDistribution3, startTarget: startDistribution2 },
  { name: 'distribution 2 to distribution 3', startSource: startDistribution2, startTarget: startDistribution3 },
] as const;

for (const helm of HELMS) {
  for (const { name, startSource, startTarget } of DIRECTIONS) {
    test(`${helm} dt carries a chart from ${name}`, async (t) => {
      const tools = requireTools(t, helm, 'crane', 'registry2', 'registry3');
      if (tools === undefined) return;
      const sandbox = await createSandbox(t);
      const [source, target] = await Promise.all([startSource(), startTarget()]);
      t.after(async () => Promise.all([source.close(), target.close()]));
      const pushed = await pushShopImages(source.host);
      await writeShopChart(join(sandbox.work, 'shop'), source.host);
      const run = await installPlugin(sandbox, tools[helm]);

      await run('dt', 'wrap', 'shop');
      const information = await run('dt', 'info', WRAP);
      for (const { repository, tag } of SHOP_IMAGES) {
        assert.match(information, new RegExp(`${source.host}/${repository}:${tag} \\(linux/amd64, linux/arm64\\)`));
      }
      const prefix = `${target.host}/site/mirror`;
      assert.match(await run('dt', 'unwrap', WRAP, `oci://${prefix}`, '--yes'), /helm install oci:\/\//);

      const crane = async (...args: readonly string[]): Promise<string> =>
        (await sandbox.runOk(args, { command: tools.crane })).trim();
      for (const { repository, tag } of SHOP_IMAGES) {
        const digest = await crane('digest', `${prefix}/${repository}:${tag}`);
        assert.equal(digest, await crane('digest', `${source.host}/${repository}:${tag}`));
        assert.equal(digest, pushed.get(`${repository}:${tag}`)?.digest);
        await crane('validate', '--remote', `${prefix}/${repository}:${tag}`);
      }
      await checkChartInTarget(run, sandbox, prefix, source);
      await checkExitCodes(sandbox, tools[helm]);
      assert.deepEqual(await sandbox.listTemporary(), []);
    });
  }
}

/** What Helm itself makes of the chart in the target. */
async function checkChartInTarget(
  run: (...args: readonly string[]) => Promise<string>,
  sandbox: Sandbox,
  prefix: string,
  source: TestRegistry,
): Promise<void> {
  const chart = [`oci://${prefix}/${SHOP_METADATA.name}`, '--version', SHOP_METADATA.version, '--plain-http'];
  const rendered = await run('template', 'release', ...chart);
  const images = [...rendered.matchAll(/image: "?([^"\s]+)/g)].map(([, image]) => image);
  assert.deepEqual(
    images,
    SHOP_IMAGES.map(({ repository, tag }) => `${prefix}/${repository}:${tag}`),
  );
  assert.ok(!rendered.includes(source.host), 'a reference to the source is left');
  assert.match(await run('show', 'chart', ...chart), /name: shop/);
  assert.match(await run('show', 'values', ...chart), /# Where everything comes from/);
  await run('pull', ...chart, '--untar', '--untardir', 'pulled');
  const lock = parseYaml(await readFile(join(sandbox.work, 'pulled/shop/Images.lock'), 'utf8'), 'Images.lock');
  assert.deepEqual(
    (lock as { images: { image: string }[] }).images.map(({ image }) => image),
    images,
  );
}

/** Helm passes the exit code of a plugin on. */
async function checkExitCodes(sandbox: Sandbox, helm: string): Promise<void> {
  const env = helmFolders(sandbox);
  await writeFile(join(sandbox.work, 'damaged.tgz'), 'no wrap');
  const cases: [readonly string[], number][] = [
    [['info', 'nothere.tgz'], 1],
    [['wrap', 'shop', '--nonsense'], 2],
    [['info', 'damaged.tgz'], 3],
    [['unwrap', WRAP, '127.0.0.1:9/m', '--yes'], 5],
  ];
  for (const [args, code] of cases) {
    const result = await sandbox.run(['dt', ...args], { command: helm, env });
    assert.equal(result.code, code, `helm dt ${args.join(' ')}\n${result.stderr}`);
    assert.equal(result.stdout, '');
  }
}

/** Runs the chosen Helm with nothing but this checkout as plugin. */
async function installPlugin(sandbox: Sandbox, helm: string): Promise<(...args: readonly string[]) => Promise<string>> {
  const env = helmFolders(sandbox);
  const run = async (...args: readonly string[]): Promise<string> => sandbox.runOk(args, { command: helm, env });
  await run('plugin', 'install', REPOSITORY_ROOT);
  assert.match(await run('plugin', 'list'), /^dt\s/m);
  return run;
}

/** Folders of Helm that nobody else uses; one with a blank, as on many machines. */
function helmFolders(sandbox: Sandbox): Record<string, string> {
  return {
    HELM_DATA_HOME: join(sandbox.home, 'helm data'),
    HELM_CONFIG_HOME: join(sandbox.home, 'helm-config'),
    HELM_CACHE_HOME: join(sandbox.home, 'helm-cache'),
  };
}

describe('the wrap file', () => {
  test('is unpacked by other programs, and its layouts are read by them', async (t) => {
    const tools = requireTools(t, 'crane', 'skopeo');
    if (tools === undefined) return;
    const sandbox = await createSandbox(t);
    const registry = await startEmbeddedRegistry();
    t.after(async () => registry.close());
    const pushed = await pushShopImages(registry.host);
    await writeShopChart(join(sandbox.work, 'shop'), registry.host);
    await sandbox.runOk(['wrap', 'shop']);

    const root = join(sandbox.work, 'gnu');
    await mkdir(root);
    await sandbox.runOk(['-xzf', WRAP, '-C', root], { command: 'tar' });
    const tree = await hashTree(root);
    await checkOtherUnpackers(t, sandbox, tree);
    await checkLinks(join(sandbox.work, WRAP), root);

    const layouts = join(root, 'shop-1.2.3/images');
    const names = await readdir(layouts);
    const digests = [...pushed.values()].flatMap(({ digest, manifests }) => [
      digest,
      ...manifests.map((manifest) => manifest.digest),
    ]);
    assert.deepEqual(names.sort(), digests.map((digest) => `${digest.slice('sha256:'.length)}.layout`).sort());
    for (const [position, name] of names.entries()) {
      const layout = join(layouts, name);
      const digest = `sha256:${name.replace('.layout', '')}`;
      const raw = await sandbox.runOk(['inspect', '--raw', `oci:${layout}`], { command: tools.skopeo });
      assert.equal(`sha256:${createHash('sha256').update(raw).digest('hex')}`, digest);
      const target = `${registry.host}/layouts/x:${String(position)}`;
      await sandbox.runOk(['push', layout, target], { command: tools.crane });
      assert.equal((await sandbox.runOk(['digest', target], { command: tools.crane })).trim(), digest);
    }
    for (const [path, hash] of tree)
      if (path.includes('/blobs/sha256/')) assert.equal(path.split('/').at(-1), hash, path);
  });
});

/** bsdtar and Python unpack the same tree, where they are installed. */
async function checkOtherUnpackers(
  t: TestContext,
  sandbox: Sandbox,
  expected: ReadonlyMap<string, string>,
): Promise<void> {
  const python = 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])';
  const unpackers: [string, (folder: string) => string[]][] = [
    ['bsdtar', (folder) => ['-xzf', WRAP, '-C', folder]],
    ['python3', (folder) => ['-W', 'ignore', '-c', python, WRAP, folder]],
  ];
  for (const [program, args] of unpackers) {
    const path = await findOnPath(program);
    if (path === undefined) {
      t.diagnostic(`${program} is not installed: unpacking with it was not tried`);
      continue;
    }
    const folder = join(sandbox.work, `by-${program}`);
    await mkdir(folder);
    await sandbox.runOk(args(folder), { command: path });
    assert.deepEqual(await hashTree(folder), expected, program);
  }
}

/** Every link of the archive is the same file as its target, and there are links at all: all images share a layer. */
async function checkLinks(wrap: string, root: string): Promise<void> {
  const links = (await readArchive(wrap)).filter(({ type }) => type === 'link');
  assert.ok(links.length > 0);
  for (const { name, linkName } of links) {
    const [link, target] = await Promise.all([lstat(join(root, name)), lstat(join(root, linkName ?? ''))]);
    assert.equal(link.ino, target.ino, name);
  }
}

async function hashTree(root: string): Promise<Map<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const tree = new Map<string, string>();
  for (const path of files.sort()) {
    tree.set(
      path.slice(root.length + 1),
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
    );
  }
  assert.ok((await stat(root)).isDirectory() && tree.size > 0);
  return tree;
}

function requireTools<T extends ToolName>(t: TestContext, ...names: readonly T[]): Record<T, string> | undefined {
  const paths = names.map((name): [T, string | undefined] => [name, requireTool(t, name)]);
  if (paths.some(([, path]) => path === undefined)) return undefined;
  return Object.fromEntries(paths) as Record<T, string>;
}

async function findOnPath(program: string): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, program);
    if (
      await access(path).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return undefined;
}

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { RelocationNaming } from '../../../src/domain/relocation/image-naming.ts';
import { useForeignClients, type ForeignClients } from '../../support/foreign-clients.ts';
import { writeImageChart } from '../../support/fidelity-site.ts';
import { pushImage } from '../../support/images.ts';
import { startEmbeddedRegistry, type EmbeddedRegistry } from '../../support/registries.ts';
import { listTags, readStoredChart } from '../../support/registry-content.ts';
import { createSandbox, type Sandbox } from '../../support/sandbox.ts';
import { requireTool } from '../../support/tools.ts';

/** Without tags; the first two have the last part in common. */
const IMAGES = ['team/deep/api', 'team/other/api-2', 'library/cache'] as const;
const IS_WRITE = /^(?:POST|PUT|PATCH|DELETE) /;

interface RuleSite {
  readonly sandbox: Sandbox;
  readonly source: EmbeddedRegistry;
  readonly target: EmbeddedRegistry;
  readonly clients: ForeignClients;
  readonly helm: string;
  /** By repository. */
  readonly digests: ReadonlyMap<string, string>;
}

interface Document {
  readonly pushed: boolean;
  readonly charts: readonly {
    readonly digest: string;
    readonly changes: readonly { readonly file: string; readonly to: string }[];
    readonly installCommand: string;
  }[];
  readonly images: readonly { readonly reference: string; readonly target: string; readonly pullTarget?: string }[];
}

for (const [naming, toName] of [
  ['two-parts', (repository) => repository.split('/').slice(-2).join('/')],
  ['keep-path', (repository) => repository],
  ['with-host', (repository, host) => `${host.replace(':', '_')}/${repository}`],
  ['flatten', (repository) => repository.replaceAll('/', '-')],
  ['basename', (repository) => repository.split('/').at(-1) ?? ''],
] as readonly (readonly [RelocationNaming, (repository: string, host: string) => string])[]) {
  test(`--naming ${naming}: what the chart renders is what lies in the target`, async (t) => {
    const site = await openSite(t);
    if (site === undefined) return;
    const { source, target, clients, digests } = site;
    const result = await unwrap(site, ['--naming', naming]);
    const names = IMAGES.map((repository) => `${target.host}/m/${toName(repository, source.host)}:1`);
    assert.deepEqual(
      result.images.map((image) => [image.target, image.pullTarget]),
      names.map((name) => [name, undefined]),
    );
    for (const [index, name] of names.entries()) {
      assert.equal(await clients.digest(name), digests.get(IMAGES[index] ?? ''));
      await clients.validate(name);
    }
    assert.deepEqual(await renderImages(site, result), names.toSorted());

    // A chart that was relocated is not relocated again.
    const [before] = result.charts;
    await site.sandbox.runOk(['wrap', `oci://${target.host}/m/rules:1.0.0`, '--output-file', 'again.tgz']);
    const again = await unwrap(site, ['--naming', naming], 'again.tgz');
    assert.deepEqual(again.charts[0]?.changes, []);
    assert.deepEqual(
      again.images.map((image) => image.target),
      names,
    );
    assert.notEqual(before?.changes.length, 0);
  });
}

test('--map-file names some images, --max-depth shortens the names of the others', async (t) => {
  const site = await openSite(t);
  if (site === undefined) return;
  const { sandbox, source, target, clients, digests } = site;
  const mappings = [
    { from: `${source.host}/*/other/*`, to: `${target.host}/elsewhere/*/*` },
    { from: `${source.host}/library`, to: 'base/of/all' },
  ];
  await writeFile(join(sandbox.work, 'map.json'), JSON.stringify(mappings));
  const flags = ['--map-file', 'map.json', '--naming', 'keep-path', '--max-depth', '3'];
  const result = await unwrap(site, flags);
  const names = ['m/team-deep/api:1', 'elsewhere/team/api-2:1', 'm/base-of-all/cache:1'].map(
    (name) => `${target.host}/${name}`,
  );
  assert.deepEqual(
    result.images.map((image) => image.target),
    names,
  );
  for (const [index, name] of names.entries())
    assert.equal(await clients.digest(name), digests.get(IMAGES[index] ?? ''));
  assert.deepEqual(await renderImages(site, result), names.toSorted());
  const plan = JSON.parse(
    await sandbox.runOk(['unwrap', 'w.tgz', `${target.host}/m`, '--plan', '--json', ...flags]),
  ) as { tags: { reference: string; state: string }[] };
  assert.deepEqual(
    plan.tags.map(({ reference, state }) => [reference, state]),
    [...names, `${target.host}/m/rules:1.0.0`].map((name) => [name, 'same']),
  );
});

test('--pull-prefix is what the chart says, the prefix is where the images are pushed to', async (t) => {
  const site = await openSite(t);
  if (site === undefined) return;
  const { sandbox, target, clients, digests } = site;
  const flags = ['--pull-prefix', 'cache.internal:8443/pull', '--naming', 'keep-path'];
  const pushed = IMAGES.map((repository) => `${target.host}/m/${repository}:1`);
  const pulled = IMAGES.map((repository) => `cache.internal:8443/pull/${repository}:1`);
  const plan = await sandbox.runOk(['unwrap', 'w.tgz', `${target.host}/m`, '--plan', ...flags]);
  for (const name of pushed) assert.ok(plan.includes(name), plan);
  assert.ok(!plan.includes('cache.internal'), plan);

  const result = await unwrap(site, flags);
  assert.deepEqual(
    result.images.map((image) => [image.target, image.pullTarget]),
    pushed.map((name, index) => [name, pulled[index]]),
  );
  for (const [index, name] of pushed.entries())
    assert.equal(await clients.digest(name), digests.get(IMAGES[index] ?? ''));
  assert.deepEqual(await renderImages(site, result), pulled.toSorted());
  const { files } = await readStoredChart(target.host, 'm/rules', '1.0.0');
  const lock = files.get('Images.lock')?.toString() ?? '';
  assert.deepEqual(
    [...lock.matchAll(/image: (\S+)/g)].map(([, image]) => image),
    pulled,
  );
  assert.ok(!lock.includes(target.host));

  const again = await unwrap(site, flags);
  assert.equal(again.charts[0]?.digest, result.charts[0]?.digest);
  const { charts } = await unwrap(site, [...flags, '--chart-mode', 'overlay']);
  const overlay = await readFile(join(sandbox.work, 'rules-1.0.0.values.relocated.yaml'), 'utf8');
  assert.match(overlay, /^# .*: its images lie in cache\.internal:8443\/pull\.\n/);
  assert.ok(charts[0]?.installCommand.includes(`oci://${target.host}/m/rules`));
});

test('two images that would get one name are refused before anything is pushed, with the flag that helps', async (t) => {
  const site = await openSite(t, ['a/team/api', 'b/team/api']);
  if (site === undefined) return;
  const { sandbox, source, target } = site;
  const { code, stdout } = await sandbox.run(['unwrap', 'w.tgz', `${target.host}/m`, '--yes', '--json']);
  assert.equal(code, 1);
  const { error } = JSON.parse(stdout) as { error: { code: string; message: string; hints: string[] } };
  assert.equal(error.code, 'DT_RELOCATION_COLLISION');
  for (const name of [`${source.host}/a/team/api:1`, `${source.host}/b/team/api:1`, `${target.host}/m/team/api:1`]) {
    assert.ok(error.message.includes(name), error.message);
  }
  assert.match(error.hints.join('\n'), /^--naming keep-path\n--map-file /);
  assert.deepEqual(
    target.requests.filter((request) => IS_WRITE.test(request)),
    [],
  );

  const { images } = await unwrap(site, ['--naming', 'keep-path']);
  assert.deepEqual(
    images.map((image) => image.target),
    [`${target.host}/m/a/team/api:1`, `${target.host}/m/b/team/api:1`],
  );
  await writeFile(join(sandbox.work, 'map.yaml'), `- {from: "${source.host}/b", to: second}\n`);
  const mapped = await unwrap(site, ['--map-file', 'map.yaml']);
  assert.deepEqual(
    mapped.images.map((image) => image.target),
    [`${target.host}/m/team/api:1`, `${target.host}/m/second/team/api:1`],
  );
});

test('two names of the same image may become one', async (t) => {
  const site = await openSite(t, ['a/team/api', 'b/team/api'], 'the same');
  if (site === undefined) return;
  const { target, clients, digests } = site;
  const { images } = await unwrap(site, []);
  assert.deepEqual(
    images.map((image) => image.target),
    [`${target.host}/m/team/api:1`],
  );
  assert.equal(await clients.digest(`${target.host}/m/team/api:1`), digests.get('a/team/api'));
});

test('an image that would get the tag of the chart is refused before anything is pushed', async (t) => {
  const site = await openSite(t, ['team/rules'], undefined, '1.0.0');
  if (site === undefined) return;
  const { sandbox, target } = site;
  const flags = ['--naming', 'basename'];
  const { code, stderr } = await sandbox.run(['unwrap', 'w.tgz', `${target.host}/m`, '--yes', ...flags]);
  assert.equal(code, 1);
  assert.match(stderr, /Code: DT_RELOCATION_COLLISION/);
  assert.match(stderr, /--push-chart-url/);
  assert.deepEqual(
    target.requests.filter((request) => IS_WRITE.test(request)),
    [],
  );
  await unwrap(site, [...flags, '--push-chart-url', `${target.host}/charts`]);
  assert.deepEqual([...(await listTags(target.host)).keys()].toSorted(), ['charts/rules:1.0.0', 'm/rules:1.0.0']);
});

test('images unwrap keeps the last part of a name, or what --naming and --map-file say', async (t) => {
  const site = await openSite(t);
  if (site === undefined) return;
  const { sandbox, source, target, clients, digests } = site;
  await sandbox.runOk(['images', 'wrap', `${source.host}/team/deep/api:1`, '--output-file', 'i.tgz']);
  await writeFile(join(sandbox.work, 'map.yaml'), `- from: "*/team/**"\n  to: mapped/**\n`);
  for (const [flags, name] of [
    [[], 'm/api'],
    [['--naming', 'two-parts'], 'm/deep/api'],
    [['--naming', 'keep-path', '--max-depth', '2'], 'm/team-deep-api'],
    [['--map-file', 'map.yaml'], 'm/mapped/deep/api'],
  ] as const) {
    const { images } = await unwrap(site, flags, 'i.tgz', ['images', 'unwrap']);
    assert.deepEqual(
      images.map((image) => image.target),
      [`${target.host}/${name}:1`],
    );
    assert.equal(await clients.digest(`${target.host}/${name}:1`), digests.get('team/deep/api'));
  }
  const { code } = await sandbox.run(['images', 'unwrap', 'i.tgz', target.host, '--pull-prefix', 'x.io', '--yes']);
  assert.equal(code, 2);
});

test('a rule that is none is an error before any registry is asked', async (t) => {
  const site = await openSite(t);
  if (site === undefined) return;
  const { sandbox, target } = site;
  await writeFile(join(sandbox.work, 'bad.yaml'), '- from: quay.io/a\n  to: x\n- from: quay.io/b\n  into: y\n');
  await writeFile(join(sandbox.work, 'large.yaml'), `# ${'x'.repeat(2 * 1024 * 1024)}\n- {from: quay.io/a, to: x}\n`);
  for (const [flags, code, pattern] of [
    [['--map-file', 'bad.yaml'], 1, /bad\.yaml is not a map file: .*"into" \(line 4\)[^]*DT_CONFIG_INVALID/],
    [['--map-file', 'large.yaml'], 1, /DT_CONFIG_INVALID/],
    [['--map-file', 'none.yaml'], 1, /DT_FILE_NOT_FOUND/],
    [['--map-file', '.'], 1, /DT_CONFIG_INVALID/],
    [['--max-depth', '1'], 2, /--max-depth is 1[^]*DT_BAD_PREFIX/],
    [['--max-depth', '0'], 2, /DT_USAGE/],
    [['--naming', 'short'], 2, /DT_USAGE/],
    [['--pull-prefix', 'https://x.io'], 2, /DT_BAD_PREFIX/],
  ] as const) {
    const result = await sandbox.run(['unwrap', 'w.tgz', `${target.host}/m`, '--yes', ...flags]);
    assert.equal(result.code, code, result.stderr);
    assert.match(result.stderr, pattern);
  }
  for (const flags of [['--yes'], ['--plan'], ['--yes', '--chart-mode', 'overlay']]) {
    const result = await sandbox.run(['unwrap', 'w.tgz', `${target.host}/Upper`, ...flags]);
    assert.equal(result.code, 2, result.stderr);
    assert.match(result.stderr, /\/Upper" is not a registry with an optional path\n[^]*Code: DT_BAD_PREFIX/);
  }
  assert.deepEqual(target.requests, []);
});

/** A wrap, `w.tgz`, of a chart `rules` that deploys the images, and a registry to put them into. */
async function openSite(
  t: TestContext,
  repositories: readonly string[] = IMAGES,
  seed?: string,
  tag = '1',
): Promise<RuleSite | undefined> {
  const helm = requireTool(t, 'helm3');
  const sandbox = await createSandbox(t);
  const clients = useForeignClients(t, sandbox);
  if (helm === undefined || clients === undefined) return undefined;
  const [source, target] = await Promise.all([startEmbeddedRegistry(), startEmbeddedRegistry()]);
  t.after(async () => Promise.all([source.close(), target.close()]));
  const digests = new Map<string, string>();
  for (const repository of repositories) {
    const { digest } = await pushImage(source.host, `${repository}:${tag}`, { seed: seed ?? repository });
    digests.set(repository, digest);
  }
  const values = repositories.map((repository, index) =>
    index % 2 === 0
      ? `i${String(index)}:\n  image: {registry: "${source.host}", repository: ${repository}, tag: "${tag}"}\n`
      : `i${String(index)}:\n  image: {registry: "", repository: "${source.host}/${repository}", tag: "${tag}"}\n`,
  );
  const template = repositories.map((_, index) => {
    const image = `.Values.i${String(index)}.image`;
    const name = `{{ with ${image}.registry }}{{ . }}/{{ end }}{{ ${image}.repository }}:{{ ${image}.tag }}`;
    return `    - name: i${String(index)}\n      image: "${name}"\n`;
  });
  await writeImageChart(sandbox, {
    name: 'rules',
    images: repositories.map((repository) => `${source.host}/${repository}:${tag}`),
    files: {
      'values.yaml': values.join(''),
      'templates/pod.yaml': `apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec:\n  containers:\n${template.join('')}`,
    },
  });
  await sandbox.runOk(['wrap', 'rules', '--output-file', 'w.tgz']);
  return { sandbox, source, target, clients, helm, digests };
}

async function unwrap(
  { sandbox, target }: RuleSite,
  flags: readonly string[],
  file = 'w.tgz',
  command: readonly string[] = ['unwrap'],
): Promise<Document> {
  const args = [...command, file, `${target.host}/m`, '--yes', '--json', ...flags];
  return JSON.parse(await sandbox.runOk(args)) as Document;
}

/** The images of the pushed chart as Helm renders them. */
async function renderImages({ sandbox, helm }: RuleSite, { charts }: Document): Promise<string[]> {
  const [, , ...args] = charts[0]?.installCommand.split(' ') ?? [];
  const text = await sandbox.runOk(['template', ...args], { command: helm });
  return [...text.matchAll(/image: "?([^"\n]+)/g)].map(([, image = '']) => image).toSorted();
}

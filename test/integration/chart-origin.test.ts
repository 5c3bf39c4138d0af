import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { MAX_CHART_CONFIG_BYTES, MAX_PROVENANCE_BYTES } from '../../src/domain/chart/chart-origin.ts';
import { digestOf } from '../../src/domain/oci/digest.ts';
import {
  MEDIA_TYPE_HELM_CHART,
  MEDIA_TYPE_HELM_CONFIG,
  MEDIA_TYPE_HELM_PROVENANCE,
  MEDIA_TYPE_OCI_MANIFEST,
} from '../../src/domain/oci/media-types.ts';
import { SilentReporter } from '../../src/output/silent-reporter.ts';
import type { RunContext } from '../../src/workflows/context.ts';
import { createRunContext } from '../../src/workflows/create-context.ts';
import { fetchChart, type FetchedChart } from '../../src/workflows/charts/fetch-chart.ts';
import { packArchive } from '../support/archives.ts';
import { pushChart } from '../support/images.ts';
import { startEmbeddedRegistry } from '../support/registries.ts';
import { readStoredManifest } from '../support/registry-content.ts';
import {
  addBlob,
  addManifest,
  createContent,
  serveContent,
  useScriptedServer,
  type RecordedRequest,
  type ScriptedServer,
} from '../support/scripted-server.ts';

const FILES = { 'shop/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.2.3\n', 'shop/values.yaml': 'a: 1\n' };
const AUTHORIZATION = `Basic ${Buffer.from('user:pass').toString('base64')}`;

describe('what a chart came as', () => {
  test('is nothing for a folder', async (t) => {
    const { folder, fetchFrom, warnings } = await prepare(t);
    for (const [path, text] of Object.entries(FILES)) await writeText(join(folder, path), text);
    await writeText(join(folder, 'shop.prov'), 'not looked at');
    const { chart, origin } = await fetchFrom(join(folder, 'shop'));
    assert.equal(chart.metadata.version, '1.2.3');
    assert.deepEqual(origin, {});
    assert.deepEqual(warnings, []);
  });

  test('is the file and the provenance beside it, links followed', async (t) => {
    const { folder, archive, provenance, fetchFrom, warnings } = await prepare(t);
    const file = join(folder, 'shop-1.2.3.tgz');
    await writeFile(file, archive);
    assert.deepEqual((await fetchFrom(file)).origin, { archive });
    await writeFile(join(folder, 'elsewhere'), provenance);
    await symlink('elsewhere', `${file}.prov`);
    assert.deepEqual((await fetchFrom(file)).origin, { archive, provenance });
    assert.deepEqual(warnings, []);
  });

  const unusable: Readonly<Record<string, (path: string, provenance: Buffer) => Promise<unknown>>> = {
    'is a folder': async (path) => mkdir(path),
    'is a pipe that nobody writes to': async (path) => promisify(execFile)('mkfifo', [path]),
    'is too large': async (path, provenance) =>
      writeFile(path, Buffer.concat([provenance, Buffer.alloc(MAX_PROVENANCE_BYTES)])),
    'names another archive': async (path) => writeFile(path, `files:\n  shop-1.2.3.tgz: ${digestOf('other')}\n`),
    'is a link to itself': async (path) => symlink(path, path),
  };
  for (const [name, write] of Object.entries(unusable)) {
    test(`comes with a warning when the provenance ${name}`, async (t) => {
      const { folder, archive, provenance, fetchFrom, warnings } = await prepare(t);
      const file = join(folder, 'shop-1.2.3.tgz');
      await writeFile(file, archive);
      await write(`${file}.prov`, provenance);
      assert.deepEqual((await fetchFrom(file)).origin, { archive });
      assert.equal(warnings.length, 1);
      assert.match(warnings[0] ?? '', /provenance of .*shop-1\.2\.3\.tgz is left out/);
    });
  }
});

describe('what a chart of a chart repository came as', () => {
  interface Answer {
    readonly status: number;
    readonly body?: Buffer | string;
  }

  /** A repository at `/charts/`; its index names the archive at `url`. */
  async function serveRepository(
    t: TestContext,
    archive: Buffer,
    answer: Answer,
    url = 'files/shop.tgz',
  ): Promise<ScriptedServer> {
    return useScriptedServer(t, (request, response) => {
      const path = request.url.split('?')[0] ?? '';
      const entry = `{name: shop, version: 1.2.3, digest: ${digestOf(archive)}, urls: ["${url}"]}`;
      if (path === '/charts/index.yaml') response.end(`apiVersion: v1\nentries: {shop: [${entry}]}\n`);
      else if (path.endsWith('.tgz')) response.end(archive);
      else if (path.endsWith('.tgz.prov')) response.writeHead(answer.status).end(answer.body);
      else response.writeHead(500).end();
    });
  }

  test('is the archive and the provenance at its URL, asked for with the same credentials', async (t) => {
    const { archive, provenance, fetchFrom, warnings } = await prepare(t);
    const server = await serveRepository(t, archive, { status: 200, body: provenance }, 'files/shop.tgz?sign=x');
    const repositoryUrl = `http://user:pass@${server.host}/charts`;
    assert.deepEqual((await fetchFrom('shop', { repositoryUrl })).origin, { archive, provenance });
    assert.deepEqual(server.requests.map(describeRequest), [
      `/charts/index.yaml ${AUTHORIZATION}`,
      `/charts/files/shop.tgz?sign=x ${AUTHORIZATION}`,
      `/charts/files/shop.tgz.prov?sign=x ${AUTHORIZATION}`,
    ]);
    assert.deepEqual(warnings, []);
  });

  test('is asked for without credentials on another host', async (t) => {
    const { archive, provenance, fetchFrom } = await prepare(t);
    const other = await serveRepository(t, archive, { status: 200, body: provenance });
    const server = await serveRepository(t, archive, { status: 404 }, `http://${other.host}/shop.tgz`);
    const { origin } = await fetchFrom('shop', { repositoryUrl: `http://user:pass@${server.host}/charts` });
    assert.deepEqual(origin, { archive, provenance });
    assert.deepEqual(other.requests.map(describeRequest), ['/shop.tgz none', '/shop.tgz.prov none']);
  });

  for (const status of [403, 404]) {
    test(`has no provenance when the answer is ${String(status)}`, async (t) => {
      const { archive, fetchFrom, warnings } = await prepare(t);
      const server = await serveRepository(t, archive, { status });
      const { origin } = await fetchFrom('shop', { repositoryUrl: `http://${server.host}/charts` });
      assert.deepEqual(origin, { archive });
      assert.deepEqual(warnings, []);
    });
  }

  const failures: Readonly<Record<string, Answer>> = {
    'credentials are asked for': { status: 401 },
    'the server fails': { status: 500 },
    'it is too large': { status: 200, body: Buffer.alloc(MAX_PROVENANCE_BYTES + 1) },
    'a web page comes': { status: 200, body: '<html>There is no such page.</html>' },
  };
  for (const [name, answer] of Object.entries(failures)) {
    test(`comes with a warning instead of a provenance when ${name}`, async (t) => {
      const { archive, fetchFrom, warnings } = await prepare(t);
      const server = await serveRepository(t, archive, answer);
      const { origin } = await fetchFrom('shop', { repositoryUrl: `http://${server.host}/charts` });
      assert.deepEqual(origin, { archive });
      assert.equal(warnings.length, 1);
      assert.match(warnings[0] ?? '', /provenance of shop is left out/);
    });
  }

  test('is not waited for after an interruption', async (t) => {
    const { archive, context, controller, warnings } = await prepare(t);
    const server = await useScriptedServer(t, ({ url }, response) => {
      const entry = '{name: shop, version: 1.2.3, urls: [shop.tgz]}';
      if (url.endsWith('.yaml')) response.end(`entries: {shop: [${entry}]}\n`);
      else if (url.endsWith('.tgz')) response.end(archive);
      else controller.abort();
    });
    const source = { location: 'shop', repositoryUrl: `http://${server.host}` };
    await assert.rejects(fetchChart(source, context), { code: 'DT_INTERRUPTED' });
    assert.deepEqual(warnings, []);
  });
});

describe('what a chart of a registry came as', () => {
  test('is all that its manifest names, by tag and by digest', async (t) => {
    const { archive, provenance, fetchFrom, warnings } = await prepare(t);
    const registry = await startEmbeddedRegistry();
    t.after(async () => registry.close());
    const metadata = { name: 'shop', version: '1.2.3' };
    const { digest } = await pushChart(registry.host, 'charts', metadata, archive, { provenanceBytes: provenance });
    const stored = await readStoredManifest(registry.host, 'charts/shop', digest);
    assert.ok(stored !== undefined);
    for (const location of [`charts/shop:1.2.3`, `charts/shop@${digest}`, 'charts/shop']) {
      const { origin } = await fetchFrom(`oci://${registry.host}/${location}`);
      assert.deepEqual(Buffer.from(origin.archive ?? []), archive);
      assert.deepEqual(Buffer.from(origin.provenance ?? []), provenance);
      assert.deepEqual(Buffer.from(origin.manifest?.bytes ?? []), stored.bytes);
      assert.equal(origin.manifest?.descriptor.digest, digest);
      assert.equal(digestOf(origin.config ?? ''), stored.manifest.config?.digest);
      assert.deepEqual(origin.repository, { registry: registry.host, repository: 'charts/shop', digest });
    }
    assert.deepEqual(warnings, []);
  });

  test('has no provenance if the manifest names none', async (t) => {
    const { archive, fetchFrom } = await prepare(t);
    const registry = await startEmbeddedRegistry();
    t.after(async () => registry.close());
    await pushChart(registry.host, '', { name: 'shop', version: '1.2.3' }, archive);
    const { origin } = await fetchFrom(`oci://${registry.host}/shop:1.2.3`);
    assert.deepEqual(Object.keys(origin).sort(), ['archive', 'config', 'manifest', 'repository']);
  });

  type Bend = (parts: { config: Descriptor; signed: Descriptor; blobs: Map<string, Buffer> }) => void;
  interface Descriptor {
    digest: string;
    size: number;
  }

  /** Fetches a chart whose content was bent before. */
  async function fetchBent(
    t: TestContext,
    bend: Bend,
  ): Promise<{ fetched: FetchedChart; warnings: readonly string[] }> {
    const { archive, provenance, fetchFrom, warnings } = await prepare(t);
    const content = createContent();
    const config = { ...addBlob(content, Buffer.from('{"name":"shop"}'), MEDIA_TYPE_HELM_CONFIG) };
    const chart = addBlob(content, archive, MEDIA_TYPE_HELM_CHART);
    const signed = { ...addBlob(content, provenance, MEDIA_TYPE_HELM_PROVENANCE) };
    bend({ config, signed, blobs: content.blobs });
    const document = { schemaVersion: 2, config, layers: [signed, chart] };
    addManifest(content, document, MEDIA_TYPE_OCI_MANIFEST, '1.2.3');
    const server = await useScriptedServer(t, (request, response) => {
      serveContent(content, request, response);
    });
    return { fetched: await fetchFrom(`oci://${server.host}/charts/shop:1.2.3`), warnings };
  }

  const provenances: Readonly<Record<string, Bend>> = {
    'is damaged': ({ signed, blobs }) => blobs.set(signed.digest, Buffer.alloc(signed.size)),
    'is not there': ({ signed, blobs }) => blobs.delete(signed.digest),
    'is too large': ({ signed }) => (signed.size = MAX_PROVENANCE_BYTES + 1),
  };
  for (const [name, bend] of Object.entries(provenances)) {
    test(`comes with a warning when the provenance ${name}`, async (t) => {
      const { fetched, warnings } = await fetchBent(t, bend);
      assert.deepEqual(Object.keys(fetched.origin).sort(), ['archive', 'config', 'manifest', 'repository']);
      assert.equal(warnings.length, 1);
      assert.match(warnings[0] ?? '', /provenance of oci:.* is left out/);
    });
  }

  test('is refused with a config blob that is damaged, not there or too large', async (t) => {
    const damage: Bend = ({ config, blobs }) => blobs.set(config.digest, Buffer.alloc(config.size));
    await assert.rejects(fetchBent(t, damage), { code: 'DT_DIGEST_MISMATCH' });
    const remove: Bend = ({ config, blobs }) => blobs.delete(config.digest);
    await assert.rejects(fetchBent(t, remove), { code: 'DT_NOT_FOUND' });
    const grow: Bend = ({ config }) => (config.size = MAX_CHART_CONFIG_BYTES + 1);
    await assert.rejects(fetchBent(t, grow), { code: 'DT_CHART_TOO_LARGE' });
  });
});

interface Setup {
  readonly folder: string;
  readonly archive: Buffer;
  readonly provenance: Buffer;
  readonly context: RunContext;
  readonly controller: AbortController;
  readonly warnings: readonly string[];
  readonly fetchFrom: (location: string, more?: { readonly repositoryUrl: string }) => Promise<FetchedChart>;
}

async function prepare(t: TestContext): Promise<Setup> {
  const folder = await mkdtemp(join(tmpdir(), 'dt-origin-'));
  t.after(async () => rm(folder, { recursive: true }));
  const archive = await packArchive(FILES);
  const provenance = Buffer.from(`name: shop\n...\nfiles:\n  shop-1.2.3.tgz: ${digestOf(archive)}\n`);
  const warnings: string[] = [];
  const controller = new AbortController();
  const context = await createRunContext({
    reporter: new SilentReporter({ write: (line) => warnings.push(line), showsWarnings: true }),
    prompter: { confirm: () => Promise.resolve(true) },
    signal: controller.signal,
    environment: { HOME: folder },
    insecure: false,
    usePlainHttp: false,
    caFiles: [],
    retries: 0,
  });
  const fetchFrom: Setup['fetchFrom'] = async (location, more) => fetchChart({ location, ...more }, context);
  return { folder, archive, provenance, context, controller, warnings, fetchFrom };
}

async function writeText(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

function describeRequest({ url, headers }: RecordedRequest): string {
  return `${url} ${headers.authorization ?? 'none'}`;
}

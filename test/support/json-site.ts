import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { KeyObject } from 'node:crypto';
import type { TestContext } from 'node:test';
import { listBundleFiles } from '../../src/archive/bundle-files.ts';
import { measureLayer } from '../../src/archive/bundle-layer.ts';
import { buildBundleImage, bundleLabels } from '../../src/domain/carvel/bundle-image.ts';
import { writeWorkingHelper } from './credential-helpers.ts';
import { packShopChart, shopMetadata } from './charts.ts';
import { pushChart, pushImage } from './images.ts';
import { createStandIn } from './plugin-packages.ts';
import { startEmbeddedRegistry, TEST_CREDENTIALS, type EmbeddedRegistry } from './registries.ts';
import { prepareShopReleases } from './shop-releases.ts';
import type { Sandbox } from './sandbox.ts';
import { requireTool } from './tools.ts';
import { attachSignature, createKey } from './verify-wrap.ts';

/** Two releases of the shop, and charts and registries for everything that a document can tell. */
export interface JsonSite {
  readonly sandbox: Sandbox;
  readonly source: EmbeddedRegistry;
  /** Empty. */
  readonly target: EmbeddedRegistry;
  /** Asks for the credentials of the tests, and is empty. */
  readonly closed: EmbeddedRegistry;
  /** With a Helm that works. */
  readonly env: Readonly<Record<string, string>>;
}

/** A chart with every way to name an image, and with places that no relocation can rewrite. */
const FOUND_CHART: Readonly<Record<string, string>> = {
  'Chart.yaml': `apiVersion: v2
name: found
version: 0.1.0
annotations:
  images: |
    - name: api
      image: HOST/team/api:1.0
`,
  'values.yaml': `web:
  image: HOST/team/web:1.0
twice:
  image: HOST/team/api:1.0
  image: HOST/team/api:1.0
unused:
  image: HOST/team/worker:2.1-debian
debug:
  enabled: false
  image:
    repository: HOST/library/cache
    tag: "7"
`,
  'templates/web.yaml': `apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
    - name: web
      image: {{ .Values.web.image }}
    - name: fixed
      image: HOST/team/{{ "api" }}:1.1
      env:
        - name: HELPER_IMAGE
          value: HOST/team/helper:9
{{- if .Values.debug.enabled }}
    - name: debug
      image: {{ .Values.debug.image.repository }}:{{ .Values.debug.image.tag }}
{{- end }}
`,
};

const ARM_CHART: Readonly<Record<string, string>> = {
  'Chart.yaml': `apiVersion: v2
name: arm
version: 0.1.0
annotations:
  images: |
    - name: app
      image: HOST/app:1
    - name: arm
      image: HOST/arm:1
`,
};

/** Undefined, with the test skipped, without Helm. */
export async function prepareJsonSite(t: TestContext): Promise<JsonSite | undefined> {
  const helm = requireTool(t, 'helm3');
  if (helm === undefined) return undefined;
  const { sandbox, source } = await prepareShopReleases(t);
  const [target, closed] = await Promise.all([
    startEmbeddedRegistry({ sparseIndexes: false }),
    startEmbeddedRegistry({ auth: true }),
  ]);
  t.after(async () => Promise.all([target.close(), closed.close()]));
  await writeChart(join(sandbox.work, 'found'), FOUND_CHART, source.host);
  await writeChart(join(sandbox.work, 'arm'), ARM_CHART, source.host);
  await writeFile(join(sandbox.work, 'text'), 'no wrap');
  await writeDamaged(sandbox.work);
  await rename(await createStandIn(sandbox.work), join(sandbox.work, 'plugin.tgz'));
  await writeBundles(sandbox.work, target.host, await pushSigned(sandbox, source.host));
  const programs = join(sandbox.home, 'programs');
  await writeWorkingHelper(programs, 'kept', join(sandbox.home, 'kept'));
  const { username, password } = TEST_CREDENTIALS;
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  await writeFile(join(sandbox.home, 'helper.json'), JSON.stringify({ credsStore: 'kept' }));
  await writeFile(join(sandbox.home, 'file.json'), JSON.stringify({ auths: { [closed.host]: { auth } } }));
  const env = { HELM_BIN: helm, PATH: `${programs}:${process.env['PATH'] ?? ''}` };
  return { sandbox, source, target, closed, env };
}

/** `app:1`, signed in every way by `key` and by `other`, and `arm:1`, of which only one platform is asked for later. */
async function pushSigned(sandbox: Sandbox, host: string): Promise<string> {
  let signed = '';
  const [key, other] = [await createKey(sandbox.work), await createKey(sandbox.work, 'other')];
  for (const [name, platforms] of [
    ['app', ['linux/amd64', 'linux/arm/v7']],
    ['arm', ['linux/arm/v7', 'linux/arm64']],
  ] as const) {
    const { digest, manifests } = await pushImage(host, `${name}:1`, { platforms, seed: name });
    if (name === 'app') signed = `${host}/app@${digest}`;
    const image = { reference: `${host}/${name}:1`, digest, platforms: manifests.map((manifest) => manifest.digest) };
    await attachSignature({ host }, image, key.privateKey);
    await attachSignature({ host }, image, key.privateKey, { form: 'classic' });
    await attachSignature({ host }, image, key.privateKey, { predicateType: 'https://slsa.dev/provenance/v1' });
    await attachSignature({ host }, image, other.privateKey);
  }
  await pushKeptChart(host, key.privateKey);
  return signed;
}

/** The folders of a bundle with an image, and of one that names the first. What that is, is known beforehand. */
async function writeBundles(folder: string, host: string, image: string): Promise<void> {
  const lock = (text: string): string =>
    `apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\nimages:\n- image: ${text}\n  annotations: {made: here}\n`;
  const write = async (name: string, text: string): Promise<void> => {
    await mkdir(join(folder, name, '.imgpkg'), { recursive: true });
    await writeFile(join(folder, name, '.imgpkg/images.yml'), lock(text));
  };
  await write('inner', image);
  const files = await listBundleFiles([join(folder, 'inner')], new Set());
  const { manifest } = buildBundleImage(await measureLayer(files), bundleLabels({}, true));
  await write('outer', `${host}/made/inner@${manifest.descriptor.digest}`);
}

/** Wraps of the first release with other bytes in a layer, and without an end. */
async function writeDamaged(folder: string): Promise<void> {
  const wrap = await readFile(join(folder, 'v1.wrap.tgz'));
  const middle = Math.floor(wrap.length / 2);
  await writeFile(join(folder, 'cut.wrap.tgz'), wrap.subarray(0, middle));
  wrap.writeUInt8(wrap.readUInt8(middle) ^ 1, middle);
  await writeFile(join(folder, 'damaged.wrap.tgz'), wrap);
}

/** The shop in a registry, with a provenance file and a signature. */
async function pushKeptChart(host: string, key: KeyObject): Promise<void> {
  const { digest } = await pushChart(host, '', shopMetadata(), await packShopChart(host), {
    provenanceBytes: Buffer.from('provenance'),
  });
  await attachSignature({ host }, { reference: `${host}/shop`, digest, platforms: [digest] }, key);
}

async function writeChart(folder: string, files: Readonly<Record<string, string>>, host: string): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text.replaceAll('HOST', host));
  }
}

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { RegistryStore } from '../../../src/content/registry-store.ts';
import { attachedTag, referrersTag } from '../../../src/domain/oci/attached-artifact.ts';
import { digestOf, parseDigest, type Digest } from '../../../src/domain/oci/digest.ts';
import { manifestSuccessors, parseManifest } from '../../../src/domain/oci/manifest.ts';
import type { HttpClient } from '../../../src/transport/http/http-client.ts';
import { createArtifact, createPlainClient, EMPTY_BLOB, findAttached, openPlainStore } from '../../support/attached.ts';
import { createTestHttpClient } from '../../support/http.ts';
import { pushBlob, pushImage, type PushedImage } from '../../support/images.ts';
import {
  findDistribution2,
  findDistribution3,
  startDistribution2,
  startDistribution3,
  startEmbeddedRegistry,
  type TestRegistry,
} from '../../support/registries.ts';
import { readStoredManifest } from '../../support/registry-content.ts';
import { createSandbox } from '../../support/sandbox.ts';
import { skipLoudly } from '../../support/skip-loudly.ts';
import { requireTool, type ToolName } from '../../support/tools.ts';

const run = promisify(execFile);
const REPOSITORY = 'a/b';
const REGISTRIES = [
  { name: 'distribution 2', hasApi: false, find: findDistribution2, start: startDistribution2 },
  { name: 'distribution 3', hasApi: false, find: findDistribution3, start: startDistribution3 },
  { name: 'the embedded registry', hasApi: true, find: () => 'here', start: startEmbeddedRegistry },
] as const;

/** Without a transparency log: nothing leaves this machine. */
const SIGN_FLAGS = [
  ...['--key', 'cosign.key', '--tlog-upload=false', '--use-signing-config=false'],
  ...['--allow-http-registry', '--yes'],
];

let http: HttpClient;
const requests: string[] = [];
before(async () => {
  http = await createTestHttpClient({ onRequest: ({ method, url }) => requests.push(`${method} ${url.href}`) });
});

interface Site {
  readonly host: string;
  readonly image: PushedImage;
  readonly store: RegistryStore;
}

/** A registry with an image for two platforms as `a/b:1`. */
async function openSite(t: TestContext, registry: (typeof REGISTRIES)[number]): Promise<Site | undefined> {
  if (registry.find() === undefined) {
    skipLoudly(t, `${registry.name} is missing: run "npm run tools"`);
    return undefined;
  }
  const started: TestRegistry = await registry.start();
  t.after(async () => started.close());
  const { host } = started;
  const image = await pushImage(host, `${REPOSITORY}:1`, { layers: 1 });
  await pushBlob(host, REPOSITORY, EMPTY_BLOB, 'application/octet-stream');
  return { host, image, store: openPlainStore(http, host) };
}

type Tool = (...args: readonly string[]) => Promise<string>;

async function openTool(t: TestContext, name: ToolName, leading: readonly string[] = []): Promise<Tool | undefined> {
  const path = requireTool(t, name);
  if (path === undefined) return undefined;
  const { work, env } = await createSandbox(t);
  await writeFile(join(work, 'content.json'), '{"a":1}');
  return async (...args) => {
    const options = { cwd: work, env: { ...process.env, ...env, COSIGN_PASSWORD: '' } };
    return (await run(path, [...leading, ...args], options)).stdout.trim();
  };
}

async function openRegctl(t: TestContext, host: string): Promise<Tool | undefined> {
  return openTool(t, 'regctl', ['--host', `reg=${host},tls=disabled`]);
}

const attachArguments = (host: string, subject: Digest, name: string): string[] => [
  ...['artifact', 'put', '--artifact-type', 'application/x.test', '--annotation', `name=${name}`],
  ...['--format', '{{ .Manifest.GetDescriptor.Digest }}', '--file', 'content.json'],
  ...['--subject', `${host}/${REPOSITORY}@${subject}`],
];

async function listWithRegctl(regctl: Tool, { host }: Site, subject: Digest): Promise<string[]> {
  const format = '{{ range .Descriptors }}{{ println .Digest }}{{ end }}';
  const listed = await regctl('artifact', 'list', `${host}/${REPOSITORY}@${subject}`, '--format', format);
  return listed.split('\n').filter((line) => line !== '');
}

/** The digests under the tag for registries without the API, in their order; undefined if there is no such tag. */
async function readIndex({ host }: Site, subject: Digest): Promise<string[] | undefined> {
  const stored = await readStoredManifest(host, REPOSITORY, referrersTag(subject));
  return stored?.manifest.manifests?.map(({ digest }) => digest);
}

for (const registry of REGISTRIES) {
  test(`what regctl has attached is found in ${registry.name}, also to artifacts`, async (t) => {
    const site = await openSite(t, registry);
    if (site === undefined) return;
    const regctl = await openRegctl(t, site.host);
    if (regctl === undefined) return;
    const { image, host, store } = site;
    const platform = image.manifests[0]?.digest ?? image.digest;
    const attach = async (subject: Digest, name: string): Promise<Digest> =>
      parseDigest(await regctl(...attachArguments(host, subject, name)));
    const ofImage = [await attach(image.digest, 'one'), await attach(image.digest, 'two')].sort();
    const ofPlatform = await attach(platform, 'three');
    const ofArtifact = await attach(ofPlatform, 'four');
    assert.deepEqual(await findAttached(store, [image.digest, platform]), [
      ...ofImage.map((digest) => ({ subject: image.digest, digest })),
      { subject: platform, digest: ofPlatform },
      { subject: ofPlatform, digest: ofArtifact },
    ]);
  });

  test(`what cosign and crane have put under tags is found in ${registry.name}`, async (t) => {
    const site = await openSite(t, registry);
    const cosign = await openTool(t, 'cosign');
    const crane = await openTool(t, 'crane');
    if (site === undefined || cosign === undefined || crane === undefined) return;
    const { image, host, store } = site;
    const reference = `${host}/${REPOSITORY}@${image.digest}`;
    await cosign('generate-key-pair');
    await cosign('sign', ...SIGN_FLAGS, '--new-bundle-format=false', reference);
    await cosign('attest', ...SIGN_FLAGS, '--new-bundle-format=false', '--predicate', 'content.json', reference);
    await cosign('sign', ...SIGN_FLAGS, reference);
    const tags = [attachedTag(image.digest, 'sig'), attachedTag(image.digest, 'att')];
    const [signature = image.digest, attestation = image.digest] = await Promise.all(
      tags.map(async (tag) => parseDigest(await crane('digest', '--insecure', `${host}/${REPOSITORY}:${tag}`))),
    );
    const metadataTag = '1-metadata';
    await crane('tag', '--insecure', `${host}/${REPOSITORY}:${attachedTag(image.digest, 'att')}`, metadataTag);
    await crane('tag', '--insecure', `${host}/${REPOSITORY}:${tags[0] ?? ''}`, attachedTag(attestation, 'sig'));

    const [bundle, ...rest] = await findAttached(store, [image.digest], '1');
    assert.equal(bundle?.subject, image.digest);
    assert.equal(bundle.tag, undefined);
    const stored = await readStoredManifest(host, REPOSITORY, bundle.digest);
    assert.match(stored?.bytes.toString() ?? '', /sigstore\.bundle/);
    assert.deepEqual(rest, [
      { subject: image.digest, digest: signature, tag: tags[0] },
      { subject: image.digest, digest: attestation, tag: tags[1] },
      { subject: image.digest, digest: attestation, tag: metadataTag },
      { subject: attestation, digest: signature, tag: attachedTag(attestation, 'sig') },
    ]);
  });

  test(`what we attach in ${registry.name} is listed by regctl, and what regctl has attached stays`, async (t) => {
    const site = await openSite(t, registry);
    if (site === undefined) return;
    const regctl = await openRegctl(t, site.host);
    if (regctl === undefined) return;
    const { image, host, store } = site;
    const [first, last] = [createArtifact(image.digest, 'first'), createArtifact(image.digest, 'last')];
    await store.writeManifest(first);
    const foreign = await regctl(...attachArguments(host, image.digest, 'foreign'));
    await store.writeManifest(last, ['some-tag']);
    const expected = [first.descriptor.digest, foreign, last.descriptor.digest];
    assert.deepEqual((await listWithRegctl(regctl, site, image.digest)).sort(), expected.toSorted());
    assert.deepEqual(await readIndex(site, image.digest), registry.hasApi ? undefined : expected);
    const tree = await regctl('artifact', 'tree', `${host}/${REPOSITORY}:1`);
    for (const digest of expected) assert.ok(tree.includes(`${digest}: application/x.test`), tree);
    assert.deepEqual(
      (await findAttached(store, [image.digest])).map(({ digest }) => digest),
      expected.toSorted(),
    );
  });

  test(`writers that know nothing of each other lose nothing in ${registry.name}`, async (t) => {
    const site = await openSite(t, registry);
    if (site === undefined) return;
    const { host, image } = site;
    const clients = [createPlainClient(http, host), createPlainClient(http, host)];
    const artifacts = Array.from({ length: 20 }, (_, number) => createArtifact(image.digest, String(number)));
    await Promise.all(
      artifacts.map(async (artifact, number) => {
        const client = clients[number % clients.length] ?? createPlainClient(http, host);
        await new RegistryStore(client, REPOSITORY, 'push').writeManifest(artifact);
      }),
    );
    const expected = artifacts.map(({ descriptor }) => descriptor.digest).sort();
    const found = await findAttached(openPlainStore(http, host), [image.digest]);
    assert.deepEqual(
      found.map(({ digest }) => digest),
      expected,
    );
    if (!registry.hasApi) assert.deepEqual((await readIndex(site, image.digest))?.sort(), expected);
  });

  test(`the subject may have a sha512 digest in ${registry.name}`, async (t) => {
    const site = await openSite(t, registry);
    if (site === undefined) return;
    const { image, store, host } = site;
    const subject = parseDigest(`sha512:${createHash('sha512').update('anything').digest('hex')}`);
    const artifact = createArtifact(subject, 'long');
    await store.writeManifest(artifact);
    const expected = [{ subject, digest: artifact.descriptor.digest }];
    assert.deepEqual(await findAttached(openPlainStore(http, host), [image.digest, subject]), expected);
    if (!registry.hasApi) assert.deepEqual(await readIndex(site, subject), [artifact.descriptor.digest]);
  });

  test(`an image with two platforms costs few requests in ${registry.name}`, async (t) => {
    const site = await openSite(t, registry);
    if (site === undefined) return;
    const { image, store, host } = site;
    const subjects = [image.digest, ...image.manifests.map(({ digest }) => digest)];
    await store.resolve('1');
    requests.length = 0;
    assert.deepEqual(await findAttached(store, subjects, '1'), []);
    const paths = requests.map((line) => line.replace(/^(\S+) .*\/v2\/a\/b\/([a-z]+).*$/, '$1 $2')).sort();
    assert.deepEqual(paths, [...(registry.hasApi ? subjects : ['once']).map(() => 'GET referrers'), 'GET tags']);

    const artifact = createArtifact(image.digest, 'x');
    await store.writeManifest(artifact);
    requests.length = 0;
    await store.writeManifest(artifact);
    const writes = requests.filter((line) => line.startsWith('PUT'));
    assert.deepEqual(
      writes.map((line) => line.slice(line.lastIndexOf('/') + 1)),
      [artifact.descriptor.digest],
    );
    assert.equal(requests.length, registry.hasApi ? 1 : 2, host);
  });
}

for (const [from, to] of [
  [REGISTRIES[2], REGISTRIES[1]],
  [REGISTRIES[1], REGISTRIES[2]],
  [REGISTRIES[2], REGISTRIES[0]],
] as const) {
  test(`cosign verifies in ${to.name} what was found in ${from.name} and written by us`, async (t) => {
    const [source, target] = [await openSite(t, from), await openSite(t, to)];
    const cosign = await openTool(t, 'cosign');
    if (source === undefined || target === undefined || cosign === undefined) return;
    const nameAt = ({ host, image }: Site): string => `${host}/${REPOSITORY}@${image.digest}`;
    await cosign('generate-key-pair');
    for (const format of ['--new-bundle-format=true', '--new-bundle-format=false']) {
      await cosign('sign', ...SIGN_FLAGS, format, nameAt(source));
    }
    const verify = async (site: Site, format: string): Promise<string> =>
      cosign('verify', '--key', 'cosign.pub', '--insecure-ignore-tlog', '--allow-http-registry', format, nameAt(site));
    for (const { digest, tag } of await findAttached(source.store, [source.image.digest])) {
      const content = await source.store.readManifest(digest);
      for (const blob of manifestSuccessors(parseManifest(content))) {
        await target.store.writeBlob(blob, async () => source.store.openBlob(blob));
      }
      // Each of the two must be found by itself.
      const format = `--new-bundle-format=${String(tag === undefined)}`;
      await assert.rejects(verify(target, format));
      await target.store.writeManifest(content, tag === undefined ? [] : [tag]);
      assert.match(await verify(target, format), new RegExp(target.image.digest));
    }
    assert.equal((await findAttached(target.store, [target.image.digest])).length, 2);
  });
}

test('several writers to one index share their requests', async (t) => {
  const site = await openSite(t, REGISTRIES[1]);
  if (site === undefined) return;
  const client = createPlainClient(http, site.host);
  const artifacts = Array.from({ length: 20 }, (_, number) => createArtifact(digestOf('any'), String(number)));
  requests.length = 0;
  await Promise.all(
    artifacts.map(async (artifact) => new RegistryStore(client, REPOSITORY, 'push').writeManifest(artifact)),
  );
  const writes = requests.filter((line) => line.startsWith('PUT') && line.endsWith(referrersTag(digestOf('any'))));
  assert.ok(writes.length < artifacts.length / 2, String(writes.length));
  const expected = artifacts.map(({ descriptor }) => descriptor.digest).sort();
  assert.deepEqual((await readIndex(site, digestOf('any')))?.sort(), expected);
});

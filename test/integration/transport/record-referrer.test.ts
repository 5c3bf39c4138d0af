import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test, type TestContext } from 'node:test';
import { RegistryStore } from '../../../src/content/registry-store.ts';
import { referrersTag } from '../../../src/domain/oci/attached-artifact.ts';
import type { ManifestContent } from '../../../src/domain/oci/descriptor.ts';
import { digestOf, type Digest } from '../../../src/domain/oci/digest.ts';
import { MAX_MANIFEST_BYTES } from '../../../src/domain/oci/manifest.ts';
import {
  MEDIA_TYPE_DOCKER_INDEX,
  MEDIA_TYPE_OCI_INDEX,
  MEDIA_TYPE_OCI_MANIFEST,
} from '../../../src/domain/oci/media-types.ts';
import { createArtifact, createPlainClient } from '../../support/attached.ts';
import { createTestHttpClient } from '../../support/http.ts';
import {
  addManifest,
  createContent,
  sendJson,
  serveContent,
  useScriptedServer,
  type RecordedRequest,
} from '../../support/scripted-server.ts';

const http = await createTestHttpClient();

const SUBJECT = digestOf('subject');
const TAG = referrersTag(SUBJECT);
const FIRST = createArtifact(SUBJECT, 'first');
const SECOND = createArtifact(SUBJECT, 'second');
const FOREIGN = createArtifact(SUBJECT, 'foreign');

interface Script {
  /** Headers of the answer to every PUT. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly referrers?: (response: ServerResponse) => void;
  /** Of every answer to a GET of the index. */
  readonly indexStatus?: number;
  /** Called before every answer. */
  readonly onRequest?: (request: RecordedRequest) => void;
}

/** A registry that keeps what is put, and has no Referrers API unless the script says so. */
async function openSite(t: TestContext, script: Script = {}) {
  const content = createContent();
  const server = await useScriptedServer(t, (request, response) => {
    script.onRequest?.(request);
    const name = request.url.slice(request.url.lastIndexOf('/') + 1);
    if (request.url.includes('/referrers/'))
      (
        script.referrers ??
        ((to) => {
          sendJson(to, 404, {});
        })
      )(response);
    else if (request.method === 'PUT') {
      addManifest(content, request.body.toString(), request.headers['content-type'] ?? '', name);
      response.writeHead(201, { 'docker-content-digest': digestOf(request.body), ...script.headers }).end();
    } else if (script.indexStatus !== undefined && name === TAG) sendJson(response, script.indexStatus, {});
    else serveContent(content, request, response);
  });
  const client = createPlainClient(http, server.host);
  return {
    content,
    store: new RegistryStore(client, 'a/b', 'push'),
    /** Another writer of this process. */
    openSibling: () => new RegistryStore(client, 'a/b', 'push'),
    /** `METHOD WHAT`, where WHAT is the last part of the path. */
    asked: (): string[] => server.requests.map(({ method, url }) => `${method} ${url.slice(url.lastIndexOf('/') + 1)}`),
    readText: (): string | undefined => content.manifests.get(TAG)?.bytes.toString(),
    readDigests: (): Digest[] => {
      const text = content.manifests.get(TAG)?.bytes.toString() ?? '{"manifests":[]}';
      return (JSON.parse(text) as { manifests: { digest: Digest }[] }).manifests.map(({ digest }) => digest);
    },
  };
}

type Site = Awaited<ReturnType<typeof openSite>>;

const toEntry = ({ descriptor }: ManifestContent, name: string): unknown => ({
  ...descriptor,
  artifactType: 'application/x.test',
  annotations: { name },
});

function putIndex({ content }: Pick<Site, 'content'>, ...artifacts: readonly ManifestContent[]): void {
  const manifests = artifacts.map(({ descriptor }) => descriptor);
  addManifest(content, { schemaVersion: 2, mediaType: MEDIA_TYPE_OCI_INDEX, manifests }, MEDIA_TYPE_OCI_INDEX, TAG);
}

const writesOf = (site: Site): string[] => site.asked().filter((line) => line === `PUT ${TAG}`);
const digestsOf = (...artifacts: readonly ManifestContent[]): Digest[] =>
  artifacts.map(({ descriptor }) => descriptor.digest);

test('a registry that names the subject in its answer keeps the list itself', async (t) => {
  const site = await openSite(t, { headers: { 'oci-subject': SUBJECT } });
  await site.store.writeManifest(FIRST);
  assert.deepEqual(site.asked().slice(-1), [`PUT ${FIRST.descriptor.digest}`]);
  assert.equal(site.asked().filter((line) => line.startsWith('PUT')).length, 1);
});

test('a manifest without a subject costs one request', async (t) => {
  const site = await openSite(t);
  const bytes = Buffer.from('{"schemaVersion":2,"annotations":{"subject":"x"}}');
  const descriptor = { mediaType: MEDIA_TYPE_OCI_MANIFEST, digest: digestOf(bytes), size: bytes.length };
  await site.store.writeManifest({ descriptor, bytes }, ['1.1']);
  assert.deepEqual(site.asked().slice(-1), ['PUT 1.1']);
});

test('without that header the API is asked, and believed when it lists the manifest', async (t) => {
  const site = await openSite(t, {
    headers: { 'oci-subject': digestOf('another') },
    referrers: (response) => {
      const manifests = [FIRST.descriptor];
      sendJson(response, 200, { schemaVersion: 2, mediaType: MEDIA_TYPE_OCI_INDEX, manifests });
    },
  });
  await site.store.writeManifest(FIRST);
  assert.equal(writesOf(site).length, 0);
  await site.store.writeManifest(SECOND);
  assert.deepEqual(site.readDigests(), digestsOf(SECOND));
});

test('the index has what the specification wants of an entry, and is written once', async (t) => {
  const site = await openSite(t);
  await site.store.writeManifest(FIRST);
  await site.store.writeManifest(FIRST);
  assert.equal(
    site.readText(),
    JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE_OCI_INDEX, manifests: [toEntry(FIRST, 'first')] }),
  );
  assert.equal(writesOf(site).length, 1);
});

test('the index of others stays as it is, byte for byte', async (t) => {
  const site = await openSite(t);
  const other = '{"digest":"blake3:00","data":1.0}, null';
  const before = `{ "manifests" : [${other}],\n "schemaVersion":2, "annotations": {"2":"b","1":"a"}, "x": 12345678901234567890 }`;
  addManifest(site.content, before, MEDIA_TYPE_OCI_INDEX, TAG);
  await site.store.writeManifest(FIRST);
  assert.equal(site.readText(), before.replace(other, `${other},${JSON.stringify(toEntry(FIRST, 'first'))}`));
});

test('entries that another writer has lost are written again', async (t) => {
  let writes = 0;
  const site = await openSite(t, {
    onRequest: ({ method, url }) => {
      // The other one has read the index before anything of this was in it, and writes it just before it is read back.
      if (url.endsWith(TAG) && method === 'PUT') writes++;
      else if (url.endsWith(TAG) && writes === 1) putIndex(site, FOREIGN);
    },
  });
  putIndex(site, SECOND);
  await site.store.writeManifest(FIRST);
  assert.deepEqual(site.readDigests(), digestsOf(FOREIGN, FIRST, SECOND));
  assert.equal(writes, 2);
});

test('an entry of an earlier write is not lost either', async (t) => {
  const site = await openSite(t);
  await site.store.writeManifest(FIRST);
  putIndex(site, FOREIGN);
  await site.openSibling().writeManifest(SECOND);
  assert.deepEqual(site.readDigests().toSorted(), digestsOf(FOREIGN, FIRST, SECOND).toSorted());
});

test('an index that never keeps what is written is given up', async (t) => {
  const site = await openSite(t, {
    onRequest: ({ method, url }) => {
      if (url.endsWith(TAG) && method === 'GET') putIndex(site, FOREIGN);
    },
  });
  await assert.rejects(site.store.writeManifest(FIRST), { code: 'DT_REGISTRY_ERROR' });
  assert.equal(writesOf(site).length, 10);
});

for (const [what, document, mediaType] of [
  ['an image', { schemaVersion: 2, mediaType: MEDIA_TYPE_OCI_MANIFEST, layers: [] }, MEDIA_TYPE_OCI_MANIFEST],
  ['a Docker list', { schemaVersion: 2, mediaType: MEDIA_TYPE_DOCKER_INDEX, manifests: [] }, MEDIA_TYPE_DOCKER_INDEX],
  ['an index of no type', { schemaVersion: 2, manifests: [] }, 'application/json'],
  ['broken', '{"schemaVersion":2,"manifests":[', MEDIA_TYPE_OCI_INDEX],
  ['without a list', { schemaVersion: 2, mediaType: MEDIA_TYPE_OCI_INDEX }, MEDIA_TYPE_OCI_INDEX],
  ['too large', ' '.repeat(MAX_MANIFEST_BYTES + 1), MEDIA_TYPE_OCI_INDEX],
] as const) {
  test(`what lies under the tag and is ${what} is never overwritten`, async (t) => {
    const site = await openSite(t);
    addManifest(site.content, document, mediaType, TAG);
    await assert.rejects(site.store.writeManifest(FIRST), { code: 'DT_REGISTRY_ERROR', message: /nothing was added/ });
    assert.equal(writesOf(site).length, 0);
  });
}

test('an index that cannot be read is not overwritten: it may hold entries of others', async (t) => {
  for (const status of [401, 403, 500, 502]) {
    const site = await openSite(t, { indexStatus: status });
    await assert.rejects(site.store.writeManifest(FIRST), { name: 'DtError' });
    assert.ok(site.asked().includes(`GET ${TAG}`));
    assert.equal(writesOf(site).length, 0);
  }
});

test('one writer that is interrupted does not stop the others', async (t) => {
  const abort = new AbortController();
  const site = await openSite(t, {
    onRequest: ({ method, url }) => {
      if (method === 'GET' && url.endsWith(TAG)) abort.abort();
    },
  });
  const writing = site.store.writeManifest(FIRST, [], abort.signal);
  const others = [SECOND, FOREIGN].map(async (artifact) => site.openSibling().writeManifest(artifact));
  await assert.rejects(writing, { code: 'DT_INTERRUPTED' });
  await Promise.all(others);
  for (const digest of digestsOf(SECOND, FOREIGN)) assert.ok(site.readDigests().includes(digest));
});

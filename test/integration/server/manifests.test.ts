import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { digestOf } from '../../../src/domain/oci/digest.ts';
import { MAX_MANIFEST_BYTES } from '../../../src/domain/oci/manifest.ts';
import {
  MEDIA_TYPE_DOCKER_MANIFEST,
  MEDIA_TYPE_OCI_CONFIG,
  MEDIA_TYPE_OCI_INDEX,
  MEDIA_TYPE_OCI_LAYER_GZIP,
  MEDIA_TYPE_OCI_MANIFEST,
} from '../../../src/domain/oci/media-types.ts';
import { describeBackends, putBlob, type Answer, type TestServer } from './backends.ts';

const CONFIG = Buffer.from('{}');
const LAYER = Buffer.from('layer');
const ABSENT = digestOf('absent');

const describeBytes = (mediaType: string, bytes: Uint8Array) => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.length,
});

function imageBytes(extra: object = {}): Buffer {
  const config = describeBytes(MEDIA_TYPE_OCI_CONFIG, CONFIG);
  const layers = [describeBytes(MEDIA_TYPE_OCI_LAYER_GZIP, LAYER)];
  // Spaces and a line end show that the bytes come back as they were.
  return Buffer.from(
    `${JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE_OCI_MANIFEST, config, layers, ...extra }, null, 3)}\n`,
  );
}

function indexBytes(...children: readonly Uint8Array[]): Buffer {
  const manifests = children.map((bytes) => describeBytes(MEDIA_TYPE_OCI_MANIFEST, bytes));
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE_OCI_INDEX, manifests }));
}

async function putParts(server: TestServer, repository: string): Promise<void> {
  await putBlob(server, repository, digestOf(CONFIG), CONFIG);
  await putBlob(server, repository, digestOf(LAYER), LAYER);
}

function put(
  server: TestServer,
  path: string,
  bytes: Uint8Array,
  mediaType = MEDIA_TYPE_OCI_MANIFEST,
): Promise<Answer> {
  return server.send('PUT', `/v2/${path}`, bytes, { 'Content-Type': mediaType });
}

describeBackends('manifests', (start) => {
  test('a manifest put by tag comes back byte for byte by tag and by digest', async (t) => {
    const server = await start(t);
    await putParts(server, 'a');
    const bytes = imageBytes();
    const digest = digestOf(bytes);
    const answer = await put(server, 'a/manifests/v1', bytes);
    assert.equal(answer.status, 201);
    assert.equal(answer.headers.get('location'), `/v2/a/manifests/${digest}`);
    assert.equal(answer.headers.get('docker-content-digest'), digest);
    assert.equal(answer.headers.get('oci-subject'), null);
    for (const reference of ['v1', digest]) {
      for (const method of ['GET', 'HEAD']) {
        const got = await server.send(method, `/v2/a/manifests/${reference}`);
        assert.equal(got.status, 200);
        assert.equal(got.headers.get('content-type'), MEDIA_TYPE_OCI_MANIFEST);
        assert.equal(got.headers.get('docker-content-digest'), digest);
        assert.equal(got.headers.get('content-length'), String(bytes.length));
        assert.ok(got.body.equals(method === 'GET' ? bytes : Buffer.alloc(0)));
      }
    }
  });

  test('a tag moves, and what it pointed to before stays', async (t) => {
    const server = await start(t);
    await putParts(server, 'a');
    const [first, second] = [imageBytes(), imageBytes({ annotations: { n: '2' } })];
    await put(server, 'a/manifests/v1', first);
    await put(server, 'a/manifests/v1', second);
    assert.ok((await server.send('GET', '/v2/a/manifests/v1')).body.equals(second));
    assert.ok((await server.send('GET', `/v2/a/manifests/${digestOf(first)}`)).body.equals(first));
  });

  test('a put by digest is checked against the digest, sha512 too', async (t) => {
    const server = await start(t);
    await putParts(server, 'a');
    const bytes = imageBytes();
    const wrong = await put(server, `a/manifests/${ABSENT}`, bytes);
    assert.deepEqual([wrong.status, wrong.code], [400, 'DIGEST_INVALID']);
    assert.equal((await put(server, `a/manifests/${digestOf(bytes)}`, bytes)).status, 201);
    const sha512 = `sha512:${createHash('sha512').update(bytes).digest('hex')}`;
    const answer = await put(server, `a/manifests/${sha512}`, bytes);
    assert.equal(answer.headers.get('docker-content-digest'), sha512);
    assert.equal((await server.send('GET', `/v2/a/manifests/${sha512}`)).status, 200);
  });

  test('a manifest whose blobs are missing in this repository is refused, each one named', async (t) => {
    const server = await start(t);
    await putParts(server, 'other');
    await putBlob(server, 'a', digestOf(LAYER), LAYER);
    const config = describeBytes(MEDIA_TYPE_OCI_CONFIG, CONFIG);
    const layers = [describeBytes(MEDIA_TYPE_OCI_LAYER_GZIP, LAYER), { ...config, digest: ABSENT }];
    const answer = await put(server, 'a/manifests/v1', imageBytes({ config, layers }));
    assert.equal(answer.status, 404);
    const { errors } = answer.json as { errors: { code: string; detail: { digest: string } }[] };
    assert.deepEqual(
      errors.map(({ code, detail }) => [code, detail.digest]),
      [
        ['MANIFEST_BLOB_UNKNOWN', config.digest],
        ['MANIFEST_BLOB_UNKNOWN', ABSENT],
      ],
    );
    assert.equal((await server.send('GET', '/v2/a/manifests/v1')).status, 404);
  });

  test('a foreign layer with a URL may be missing', async (t) => {
    const server = await start(t);
    await putParts(server, 'a');
    const foreign = {
      mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
      digest: ABSENT,
      size: 6,
      urls: ['https://example.com/layer'],
    };
    const docker = { mediaType: MEDIA_TYPE_DOCKER_MANIFEST, layers: [foreign] };
    assert.equal((await put(server, 'a/manifests/v1', imageBytes(docker), MEDIA_TYPE_DOCKER_MANIFEST)).status, 201);
  });

  test('an index needs its manifests unless the server takes sparse indexes', async (t) => {
    const image = imageBytes();
    const other = imageBytes({ annotations: { other: 'yes' } });
    const index = indexBytes(image, other);
    for (const acceptSparseIndexes of [false, true]) {
      const server = await start(t, { acceptSparseIndexes });
      await putParts(server, 'a');
      await put(server, `a/manifests/${digestOf(image)}`, image);
      const sparse = await put(server, 'a/manifests/multi', index, MEDIA_TYPE_OCI_INDEX);
      assert.equal(sparse.status, acceptSparseIndexes ? 201 : 404);
      if (!acceptSparseIndexes) assert.equal(sparse.code, 'MANIFEST_BLOB_UNKNOWN');
      await put(server, `a/manifests/${digestOf(other)}`, other);
      assert.equal((await put(server, 'a/manifests/multi', index, MEDIA_TYPE_OCI_INDEX)).status, 201);
      assert.ok((await server.send('GET', '/v2/a/manifests/multi')).body.equals(index));
    }
  });

  const INVALID: readonly [name: string, body: Uint8Array, mediaType: string][] = [
    ['no JSON', Buffer.from('{'), MEDIA_TYPE_OCI_MANIFEST],
    ['no object', Buffer.from('[]'), MEDIA_TYPE_OCI_MANIFEST],
    ['nothing', Buffer.alloc(0), MEDIA_TYPE_OCI_MANIFEST],
    [
      'a number as size',
      imageBytes({ layers: [{ mediaType: 'x', digest: ABSENT, size: 'x' }] }),
      MEDIA_TYPE_OCI_MANIFEST,
    ],
    ['a bad digest', imageBytes({ layers: [{ mediaType: 'x', digest: '../x', size: 1 }] }), MEDIA_TYPE_OCI_MANIFEST],
    ['schema 1', imageBytes({ schemaVersion: 1 }), MEDIA_TYPE_OCI_MANIFEST],
    ['another content type', imageBytes(), MEDIA_TYPE_DOCKER_MANIFEST],
  ];
  for (const [name, body, mediaType] of INVALID) {
    test(`an invalid manifest is refused: ${name}`, async (t) => {
      const server = await start(t);
      await putParts(server, 'a');
      const answer = await put(server, 'a/manifests/v1', body, mediaType);
      assert.deepEqual([answer.status, answer.code], [400, 'MANIFEST_INVALID']);
    });
  }

  test('a manifest over the limit is refused, announced or not', async (t) => {
    const server = await start(t);
    const bytes = Buffer.alloc(MAX_MANIFEST_BYTES + 1, ' ');
    const announced = await put(server, 'a/manifests/v1', bytes);
    assert.deepEqual([announced.status, announced.code], [413, 'SIZE_INVALID']);
    const response = await fetch(`${server.url}/v2/a/manifests/v1`, {
      method: 'PUT',
      body: new Blob([bytes]).stream(),
      duplex: 'half',
      headers: { 'Content-Type': MEDIA_TYPE_OCI_MANIFEST },
    });
    assert.equal(response.status, 413);
  });

  test('unknown and impossible references', async (t) => {
    const server = await start(t);
    for (const reference of ['v1', ABSENT, '.INVALID', 'a:b']) {
      const answer = await server.send('GET', `/v2/a/manifests/${reference}`);
      assert.deepEqual([answer.status, answer.code], [404, 'MANIFEST_UNKNOWN'], reference);
      assert.equal((await server.send('HEAD', `/v2/a/manifests/${reference}`)).status, 404);
      assert.equal((await server.send('DELETE', `/v2/a/manifests/${reference}`)).code, 'MANIFEST_UNKNOWN');
    }
    assert.equal((await put(server, 'a/manifests/.bad', imageBytes())).code, 'TAG_INVALID');
  });

  test('deleting a tag keeps the manifest; deleting the manifest removes its tags', async (t) => {
    const server = await start(t);
    await putParts(server, 'a');
    const bytes = imageBytes();
    for (const tag of ['v1', 'v2', 'v3']) await put(server, `a/manifests/${tag}`, bytes);
    assert.equal((await server.send('DELETE', '/v2/a/manifests/v1')).status, 202);
    assert.equal((await server.send('GET', '/v2/a/manifests/v1')).status, 404);
    assert.equal((await server.send('GET', '/v2/a/manifests/v2')).status, 200);
    assert.equal((await server.send('DELETE', `/v2/a/manifests/${digestOf(bytes)}`)).status, 202);
    for (const reference of ['v2', 'v3', digestOf(bytes)]) {
      assert.equal((await server.send('GET', `/v2/a/manifests/${reference}`)).status, 404);
    }
    assert.deepEqual((await server.send('GET', '/v2/a/tags/list')).json, { name: 'a', tags: [] });
  });

  test('referrers are listed by subject, filtered by type, and go with their manifest', async (t) => {
    const server = await start(t);
    await putParts(server, 'a');
    const subjectBytes = imageBytes();
    const subject = describeBytes(MEDIA_TYPE_OCI_MANIFEST, subjectBytes);
    const path = `/v2/a/referrers/${subject.digest}`;
    const empty = await server.send('GET', path);
    assert.equal(empty.headers.get('content-type'), MEDIA_TYPE_OCI_INDEX);
    assert.deepEqual(empty.json, { schemaVersion: 2, mediaType: MEDIA_TYPE_OCI_INDEX, manifests: [] });

    const signature = imageBytes({ subject, artifactType: 'application/x.signature', annotations: { by: 'me' } });
    const sbom = imageBytes({ subject });
    // A referrer may come before its subject.
    for (const [tag, bytes] of [
      ['sig', signature],
      ['sbom', sbom],
      ['v1', subjectBytes],
    ] as const) {
      const answer = await put(server, `a/manifests/${tag}`, bytes);
      assert.equal(answer.status, 201);
      assert.equal(answer.headers.get('oci-subject'), tag === 'v1' ? null : subject.digest);
    }
    const entry = (bytes: Uint8Array, artifactType: string) => ({
      ...describeBytes(MEDIA_TYPE_OCI_MANIFEST, bytes),
      artifactType,
    });
    const all = (await server.send('GET', path)).json as { manifests: { digest: string }[] };
    const byDigest = (a: { digest: string }, b: { digest: string }) => (a.digest < b.digest ? -1 : 1);
    assert.deepEqual(
      all.manifests.toSorted(byDigest),
      [
        { ...entry(signature, 'application/x.signature'), annotations: { by: 'me' } },
        entry(sbom, MEDIA_TYPE_OCI_CONFIG),
      ].toSorted(byDigest),
    );
    const filtered = await server.send('GET', `${path}?artifactType=application%2Fx.signature`);
    assert.equal(filtered.headers.get('oci-filters-applied'), 'artifactType');
    const { manifests } = filtered.json as { manifests: { digest: string }[] };
    assert.deepEqual(
      manifests.map(({ digest }) => digest),
      [digestOf(signature)],
    );

    await server.send('DELETE', `/v2/a/manifests/${digestOf(signature)}`);
    const rest = (await server.send('GET', path)).json as { manifests: { digest: string }[] };
    assert.deepEqual(
      rest.manifests.map(({ digest }) => digest),
      [digestOf(sbom)],
    );
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AttachedFinder } from '../../../src/content/find-attached.ts';
import { RegistryStore } from '../../../src/content/registry-store.ts';
import { attachedTag, referrersTag } from '../../../src/domain/oci/attached-artifact.ts';
import { digestOf, parseDigest, type Digest } from '../../../src/domain/oci/digest.ts';
import { MEDIA_TYPE_OCI_INDEX, MEDIA_TYPE_OCI_MANIFEST } from '../../../src/domain/oci/media-types.ts';
import { createArtifact, findAttached } from '../../support/attached.ts';
import {
  answerWith,
  indexOf,
  openAttachedSite,
  referrersOf,
  tagsOf,
  type Answer,
} from '../../support/attached-site.ts';
import { addIndex, addManifest, createContent, sendJson } from '../../support/scripted-server.ts';

const SUBJECT = digestOf('subject');
const PLATFORMS = [digestOf('amd64'), digestOf('arm64')];
const [FIRST = SUBJECT, SECOND = SUBJECT] = [digestOf('a'), digestOf('b')].sort();

/** Content with one artifact in the index under the tag for registries without the API. */
function createListedContent(): { content: ReturnType<typeof createContent>; artifact: Digest } {
  const content = createContent();
  const { descriptor } = createArtifact(SUBJECT, 'listed');
  addIndex(content, [descriptor], referrersTag(SUBJECT));
  return { content, artifact: descriptor.digest };
}

const HTML: Answer = (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html></html>');

for (const [what, referrers] of [
  ['404', answerWith(404, {})],
  ['404 with another code', answerWith(404, { errors: [{ code: 'NOT_FOUND' }] })],
  ['400', answerWith(400, { errors: [{ code: 'UNSUPPORTED' }] })],
  ['405', answerWith(405, {})],
  ['406', answerWith(406, {})],
  ['501', answerWith(501, {})],
  ['200 with a web page', HTML],
  ['200 with an empty object', answerWith(200, {})],
  ['200 with a list of tags', answerWith(200, { name: 'a/b', tags: [] })],
] as const) {
  test(`a registry whose answer is ${what} has no such API, and is asked once for all its repositories`, async (t) => {
    const { content, artifact } = createListedContent();
    const { server, asked, createClient } = await openAttachedSite(t, {
      referrers,
      content,
      tags: tagsOf('1.0', referrersTag(SUBJECT)),
    });
    const client = createClient();
    const found = await Promise.all(
      ['a/b', 'a/c', 'a/d'].map(async (repository) =>
        findAttached(new RegistryStore(client, repository), [SUBJECT, ...PLATFORMS], '1.0'),
      ),
    );
    assert.deepEqual(found[0], [{ subject: SUBJECT, digest: artifact }]);
    assert.equal(server.requests.filter(({ url }) => url.includes('/referrers/')).length, 1);
    assert.equal(asked('tags').length, 1);
    assert.deepEqual(asked('manifests'), [`GET ${referrersTag(SUBJECT)}`]);
  });
}

for (const [what, referrers] of [
  ['401', answerWith(401, {})],
  ['403', answerWith(403, {})],
  ['404 for the repository', answerWith(404, { errors: [{ code: 'NAME_UNKNOWN' }] })],
] as const) {
  test(`a repository whose answer is ${what} says nothing of other repositories`, async (t) => {
    const { content, artifact } = createListedContent();
    const { server, store, createClient } = await openAttachedSite(t, { referrers, content });
    assert.deepEqual(await findAttached(store, [SUBJECT]), [{ subject: SUBJECT, digest: artifact }]);
    const client = createClient();
    const before = server.requests.length;
    for (const repository of ['a/b', 'a/c', 'a/b', 'a/c']) {
      await findAttached(new RegistryStore(client, repository), [SUBJECT]);
    }
    const later = server.requests.slice(before).filter(({ url }) => url.includes('/referrers/'));
    assert.deepEqual(
      later.map(({ url }) => url.split('/referrers/')[0]),
      ['/v2/a/b', '/v2/a/c'],
    );
  });
}

test('a registry that does not know sha512 has the API all the same', async (t) => {
  const long = parseDigest(`sha512:${'a'.repeat(128)}`);
  const { store } = await openAttachedSite(t, {
    referrers: (request, response) => {
      if (request.url.includes('sha512')) sendJson(response, 400, {});
      else referrersOf({ [SUBJECT]: [FIRST] })(request, response);
    },
    tags: tagsOf('1'),
  });
  assert.deepEqual(await findAttached(store, [long, SUBJECT]), [{ subject: SUBJECT, digest: FIRST }]);
});

test('a list that is null is empty', async (t) => {
  const referrers = answerWith(200, { schemaVersion: 2, mediaType: MEDIA_TYPE_OCI_INDEX, manifests: null });
  const { store, asked } = await openAttachedSite(t, { referrers, tags: tagsOf('1') });
  assert.deepEqual(await findAttached(store, [SUBJECT, ...PLATFORMS]), []);
  assert.equal(asked('referrers').length, 3);
  assert.deepEqual(asked('manifests'), []);
});

test('the tag for registries without the API counts where both are there', async (t) => {
  const { content, artifact } = createListedContent();
  const { store } = await openAttachedSite(t, {
    referrers: referrersOf({ [SUBJECT]: [FIRST, FIRST] }),
    tags: tagsOf(referrersTag(SUBJECT)),
    content,
  });
  const expected = [FIRST, artifact].sort().map((digest) => ({ subject: SUBJECT, digest }));
  assert.deepEqual(await findAttached(store, [SUBJECT]), expected);
});

test('all pages are read, on the host that was asked', async (t) => {
  const { store, asked } = await openAttachedSite(t, {
    tags: tagsOf('1'),
    referrers: ({ url }, response) => {
      const isFirst = url.endsWith(SUBJECT);
      const link = { link: '<http://other.example.test/v2/a/b/referrers/next?page=2>; rel="next"' };
      const page = isFirst ? indexOf(SECOND) : url.includes('next') ? indexOf(FIRST) : indexOf();
      sendJson(response, 200, page, isFirst ? link : {});
    },
  });
  const found = await findAttached(store, [SUBJECT]);
  assert.deepEqual(
    found.map(({ digest }) => digest),
    [FIRST, SECOND],
  );
  assert.equal(asked('referrers').length, 4);
});

for (const [what, second] of [
  ['missing', answerWith(404, {})],
  ['a web page', HTML],
] as const) {
  test(`a later page that is ${what} is a failure: it may name a signature`, async (t) => {
    const { store } = await openAttachedSite(t, {
      referrers: (request, response) => {
        if (request.url.includes('page=2')) second(request, response);
        else sendJson(response, 200, indexOf(FIRST), { link: `<?page=2>; rel="next"` });
      },
    });
    await assert.rejects(findAttached(store, [SUBJECT]), ({ code, hints }: { code: string; hints: string[] }) => {
      assert.match(code, /^DT_(?:NOT_FOUND|REGISTRY_ERROR)$/);
      assert.match(hints.join(), /--no-referrers/);
      return true;
    });
  });
}

test('a registry that fails for good fails the search, with a way around', async (t) => {
  for (const status of [500, 503, 429]) {
    const { store } = await openAttachedSite(t, { referrers: answerWith(status, {}), tags: tagsOf('1') });
    await assert.rejects(
      findAttached(store, [SUBJECT, ...PLATFORMS]),
      ({ code, hints }: { code: string; hints: string[] }) => {
        assert.equal(code, 'DT_REGISTRY_ERROR');
        assert.match(hints.join(), /--no-referrers/);
        return true;
      },
    );
  }
});

test('a registry that fails for a moment is asked again', async (t) => {
  let failures = 2;
  const { store } = await openAttachedSite(t, {
    tags: tagsOf('1'),
    referrers: (request, response) => {
      if (failures-- > 0) sendJson(response, 502, {});
      else referrersOf({ [SUBJECT]: [FIRST] })(request, response);
    },
  });
  assert.deepEqual(await findAttached(store, [SUBJECT]), [{ subject: SUBJECT, digest: FIRST }]);
});

test('an entry without a digest fails the search', async (t) => {
  const referrers = answerWith(200, { schemaVersion: 2, manifests: [{ digest: 'sha256:1' }] });
  const { store } = await openAttachedSite(t, { referrers });
  await assert.rejects(findAttached(store, [SUBJECT]), { code: 'DT_MANIFEST_INVALID' });
});

for (const [what, tags, requests] of [
  ['denied', answerWith(403, {}), 1],
  ['not there', answerWith(404, {}), 1],
  ['not supported', answerWith(405, {}), 1],
  ['no list', answerWith(200, {}), 1],
  ['a web page', HTML, 1],
  ['failing', answerWith(500, {}), 4],
  ['without the image itself, as in a cache', tagsOf('other'), 1],
  [
    'endless',
    ((request, response) => {
      const page = Number(/page=(\d+)/.exec(request.url)?.[1] ?? 0) + 1;
      sendJson(response, 200, { tags: ['1.0'] }, { link: `<?page=${String(page)}>; rel="next"` });
    }) satisfies Answer,
    20,
  ],
] as const) {
  test(`every tag is asked for when the list of tags is ${what}`, async (t) => {
    const { content, artifact } = createListedContent();
    const signature = addManifest(content, { a: 1 }, MEDIA_TYPE_OCI_MANIFEST, attachedTag(SUBJECT, 'sig'));
    const metadata = addManifest(content, { a: 2 }, MEDIA_TYPE_OCI_MANIFEST, '1.0-metadata');
    const { store, asked } = await openAttachedSite(t, { tags, content });
    assert.deepEqual(await findAttached(store, [SUBJECT], '1.0'), [
      { subject: SUBJECT, digest: artifact },
      { subject: SUBJECT, digest: signature.digest, tag: attachedTag(SUBJECT, 'sig') },
      { subject: SUBJECT, digest: metadata.digest, tag: '1.0-metadata' },
    ]);
    assert.equal(asked('tags').length, requests);
    assert.deepEqual(asked('manifests').slice(0, 6).sort(), [
      `GET ${referrersTag(SUBJECT)}`,
      'HEAD 1.0-metadata',
      ...(['att', 'metadata', 'sbom', 'sig'] as const).map((suffix) => `HEAD ${attachedTag(SUBJECT, suffix)}`),
    ]);
  });
}

test('an empty list of tags is not believed', async (t) => {
  const { content, artifact } = createListedContent();
  const { store } = await openAttachedSite(t, { tags: tagsOf(), content });
  assert.deepEqual(await findAttached(store, [SUBJECT]), [{ subject: SUBJECT, digest: artifact }]);
});

test('the tags of a repository are asked for once for all its images, even after one search was given up', async (t) => {
  const { store, asked } = await openAttachedSite(t, { referrers: referrersOf({}), tags: tagsOf('1', '2') });
  const finder = new AttachedFinder(store);
  const abort = new AbortController();
  const first = finder.find([SUBJECT], { concurrency: 2, signal: abort.signal });
  const others = PLATFORMS.map(async (subject, number) =>
    finder.find([subject], { concurrency: 2, imageTag: String(number + 1), signal: new AbortController().signal }),
  );
  abort.abort();
  await assert.rejects(first, { code: 'DT_INTERRUPTED' });
  assert.deepEqual(await Promise.all(others), [[], []]);
  await finder.find([SUBJECT], { concurrency: 2 });
  assert.ok(asked('tags').length <= 2);
});

test('a tag that goes away meanwhile is passed over, and so is an image under the tag of the list', async (t) => {
  const content = createContent();
  addManifest(content, { schemaVersion: 2 }, MEDIA_TYPE_OCI_MANIFEST, referrersTag(SUBJECT));
  const tags = tagsOf(attachedTag(SUBJECT, 'sig'), referrersTag(SUBJECT), referrersTag(FIRST));
  const { store, asked } = await openAttachedSite(t, { tags, content });
  assert.deepEqual(await findAttached(store, [SUBJECT, FIRST]), []);
  assert.equal(asked('manifests').length, 3);
});

test('a broken list under the tag fails the search', async (t) => {
  const content = createContent();
  addManifest(content, '{"manifests":', MEDIA_TYPE_OCI_INDEX, referrersTag(SUBJECT));
  const { store } = await openAttachedSite(t, { tags: tagsOf(referrersTag(SUBJECT)), content });
  await assert.rejects(findAttached(store, [SUBJECT]), { code: 'DT_MANIFEST_INVALID' });
});

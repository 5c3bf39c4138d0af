import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../src/domain/oci/digest.ts';
import { MAX_MANIFEST_BYTES } from '../../src/domain/oci/manifest.ts';
import { findAttached } from '../support/attached.ts';
import { indexOf, openAttachedSite, referrersOf, tagsOf } from '../support/attached-site.ts';
import { sendJson } from '../support/scripted-server.ts';

/** Of this image the registry says that more is attached to it than anybody can fetch. */
const SUBJECT = digestOf('subject');
const [FIRST = SUBJECT, SECOND = SUBJECT] = [digestOf('a'), digestOf('b')].sort();

test('pages that lead in a circle are read once each', async (t) => {
  const { store, asked } = await openAttachedSite(t, {
    tags: tagsOf('1'),
    referrers: ({ url }, response) => {
      if (!url.includes(SUBJECT)) sendJson(response, 200, indexOf());
      else {
        const isSecond = url.includes('page=2');
        const next = isSecond ? SUBJECT : `${SUBJECT}?page=2`;
        const link = `</v2/a/b/referrers/${next}>; rel="next"`;
        sendJson(response, 200, indexOf(isSecond ? SECOND : FIRST), { link });
      }
    },
  });
  assert.equal((await findAttached(store, [SUBJECT])).length, 2);
  assert.equal(asked('referrers').filter((line) => line.includes(SUBJECT)).length, 2);
});

test('pages without end are refused', async (t) => {
  let page = 0;
  const { store, asked } = await openAttachedSite(t, {
    tags: tagsOf('1'),
    referrers: (_, response) => {
      const link = `</v2/a/b/referrers/${SUBJECT}?page=${String(++page)}>; rel="next"`;
      sendJson(response, 200, indexOf(), { link });
    },
  });
  await assert.rejects(findAttached(store, [SUBJECT]), { code: 'DT_LIMIT_EXCEEDED' });
  assert.equal(asked('referrers').length, 100);
});

test('artifacts that name each other, or themselves, are found once', async (t) => {
  const { store, asked } = await openAttachedSite(t, {
    tags: tagsOf('1'),
    referrers: referrersOf({ [SUBJECT]: [FIRST, SUBJECT], [FIRST]: [SECOND], [SECOND]: [FIRST, SUBJECT] }),
  });
  assert.deepEqual(await findAttached(store, [SUBJECT, SUBJECT]), [
    { subject: SUBJECT, digest: FIRST },
    { subject: FIRST, digest: SECOND },
    ...[FIRST, SUBJECT].sort().map((digest) => ({ subject: SECOND, digest })),
  ]);
  assert.equal(asked('referrers').length, 3);
});

test('artifacts of artifacts have a limit of depth, and all together one of number', async (t) => {
  const deep = await openAttachedSite(t, {
    tags: tagsOf('1'),
    referrers: ({ url }, response) => {
      sendJson(response, 200, indexOf(digestOf(url)));
    },
  });
  await assert.rejects(findAttached(deep.store, [SUBJECT]), { code: 'DT_LIMIT_EXCEEDED' });
  assert.equal(deep.asked('referrers').length, 9);
  const many = Array.from({ length: 2_001 }, (_, number) => digestOf(String(number)));
  const wide = await openAttachedSite(t, { tags: tagsOf('1'), referrers: referrersOf({ [SUBJECT]: many }) });
  await assert.rejects(findAttached(wide.store, [SUBJECT]), { code: 'DT_LIMIT_EXCEEDED' });
  assert.equal(wide.asked('referrers').length, 1);
});

test('lists that are long each are refused before they fill the memory', async (t) => {
  const { store, asked } = await openAttachedSite(t, {
    tags: tagsOf('1'),
    referrers: ({ url }, response) => {
      const isImage = url.endsWith(SUBJECT);
      const digests = Array.from({ length: isImage ? 1_000 : 3_000 }, (_, number) =>
        digestOf(`${url} ${String(number)}`),
      );
      sendJson(response, 200, indexOf(...digests));
    },
  });
  await assert.rejects(findAttached(store, [SUBJECT]), { code: 'DT_LIMIT_EXCEEDED' });
  assert.ok(asked('referrers').length < 20);
});

test('one list that is too large is refused', async (t) => {
  const { store } = await openAttachedSite(t, {
    tags: tagsOf('1'),
    referrers: (_, response) => response.writeHead(200).end(' '.repeat(MAX_MANIFEST_BYTES + 1)),
  });
  await assert.rejects(findAttached(store, [SUBJECT]), { code: 'DT_LIMIT_EXCEEDED' });
});

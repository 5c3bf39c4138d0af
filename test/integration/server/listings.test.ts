import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutPage } from '../../../src/server/pagination.ts';
import { pushImage } from '../../support/images.ts';
import { describeBackends } from './backends.ts';

test('pages are cut by code point', () => {
  const cut = (query: string) => cutPage(['b', 'B', 'a', '10', '9'], new URLSearchParams(query), '/p');
  assert.deepEqual(cut(''), { entries: ['10', '9', 'B', 'a', 'b'] });
  assert.deepEqual(cut('n=2'), { entries: ['10', '9'], link: '</p?last=9&n=2>; rel="next"' });
  assert.deepEqual(cut('n=2&last=B'), { entries: ['a', 'b'] });
  assert.deepEqual(cut('last=A'), { entries: ['B', 'a', 'b'] });
  assert.deepEqual(cut('n=9'), { entries: ['10', '9', 'B', 'a', 'b'] });
  assert.deepEqual(cut('n=0'), { entries: [] });
  for (const bad of ['n=x', 'n=-1', 'n=', 'n=1.5', 'n=9999999999']) assert.equal(cut(bad), undefined, bad);
});

describeBackends('listings', (start) => {
  test('tags are paged with Link', async (t) => {
    const server = await start(t);
    for (const tag of ['v3', 'v1', 'v2']) {
      await pushImage(server.host, `team/app:${tag}`, { platforms: ['linux/amd64'], seed: tag, layerBytes: 10 });
    }
    const seen: string[] = [];
    let path: string | undefined = '/v2/team/app/tags/list?n=2';
    while (path !== undefined) {
      const page = await server.send('GET', path);
      assert.equal(page.status, 200);
      const { name, tags } = page.json as { name: string; tags: string[] };
      assert.equal(name, 'team/app');
      seen.push(tags.join(','));
      path = /^<([^>]+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
    }
    assert.deepEqual(seen, ['v1,v2', 'v3']);
    assert.equal((await server.send('GET', '/v2/team/app/tags/list?n=x')).code, 'PAGINATION_NUMBER_INVALID');
  });

  test('an unknown repository has no tags, and neither has one with blobs only', async (t) => {
    const server = await start(t);
    await server.send('POST', '/v2/blobs-only/blobs/uploads/');
    for (const repository of ['nothing', 'blobs-only']) {
      const answer = await server.send('GET', `/v2/${repository}/tags/list`);
      assert.deepEqual([answer.status, answer.code], [404, 'NAME_UNKNOWN']);
    }
  });

  test('the catalog lists repositories, nested ones too', async (t) => {
    const server = await start(t);
    for (const name of ['b', 'a/x', 'a', 'a/x/y']) {
      await pushImage(server.host, `${name}:1`, { platforms: ['linux/amd64'], layerBytes: 10 });
    }
    assert.deepEqual((await server.send('GET', '/v2/_catalog')).json, { repositories: ['a', 'a/x', 'a/x/y', 'b'] });
    const page = await server.send('GET', '/v2/_catalog?n=2');
    assert.deepEqual(page.json, { repositories: ['a', 'a/x'] });
    assert.equal(page.headers.get('link'), '</v2/_catalog?last=a%2Fx&n=2>; rel="next"');
    const next = await server.send('GET', '/v2/_catalog?last=a%2Fx&n=2');
    assert.deepEqual(next.json, { repositories: ['a/x/y', 'b'] });
    assert.equal(next.headers.get('link'), null);
  });
});

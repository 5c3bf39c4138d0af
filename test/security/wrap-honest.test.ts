import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { assembleWrap, makeHonestWrap, takeApart, withFolder } from '../support/hostile-wraps.ts';
import { unwrapBytes } from '../support/assert-refused.ts';
import { startEmbeddedRegistry } from '../support/registries.ts';

// The other files of this folder change one thing in this wrap: unchanged it must be taken, or they prove nothing.
for (const isPlain of [false, true]) {
  test(`an honest wrap that was taken apart and put together ${isPlain ? 'without its document ' : ''}is taken`, async () => {
    await withFolder(async (folder) => {
      const target = await startEmbeddedRegistry();
      try {
        const pieces = (await takeApart(await makeHonestWrap())).filter(
          ({ header }) => !isPlain || !header.name.includes('/.dt/'),
        );
        const file = join(folder, 'demo.wrap.tgz');
        await writeFile(file, await assembleWrap(pieces, { isPlain }));
        const result = (await unwrapBytes(file, target.host)) as { pushed: boolean };
        assert.equal(result.pushed, true);
        assert.ok(target.requests.some((line) => line.startsWith('PUT /v2/mirror/demo/manifests/1.2.3 201')));
      } finally {
        await target.close();
      }
    });
  });
}

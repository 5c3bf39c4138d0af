import { test } from 'node:test';
import { assertWrapRefused } from '../support/assert-refused.ts';
import { forgeWrap } from '../support/forged-wraps.ts';

const ELSEWHERE = 'a'.repeat(64);

test('a wrap that says an artifact is attached to something that is no part of the image is refused', async () => {
  const wrap = await forgeWrap('attached', ({ images }) => {
    const artifact = images[0]?.attached?.find(({ tag }) => tag !== undefined);
    if (artifact === undefined) throw new TypeError('the honest wrap has no artifact with a tag');
    const hex = artifact.subject.slice('sha256:'.length);
    Object.assign(artifact, { subject: `sha256:${ELSEWHERE}`, tag: artifact.tag?.replace(hex, ELSEWHERE) });
    return undefined;
  });
  await assertWrapRefused(wrap, ['DT_WRAP_INVALID'], { throughProgram: false });
});

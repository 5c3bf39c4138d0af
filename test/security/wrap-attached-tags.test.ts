import { test } from 'node:test';
import { assertWrapRefused } from '../support/assert-refused.ts';
import { forgeWrap, type ForgedDocument } from '../support/forged-wraps.ts';

type Attached = NonNullable<ForgedDocument['images'][number]['attached']>[number];

const TAGS: readonly (readonly [name: string, tag: (artifact: Attached) => unknown])[] = [
  ['the tag of an image', () => '1.0'],
  ['the tag latest', () => 'latest'],
  ['the tag of another digest', () => `sha256-${'a'.repeat(64)}.sig`],
  ['the tag of its digest with another ending', ({ subject }) => `${subject.replace(':', '-')}.image`],
  ['the tag of its digest in another case', ({ subject }) => `${subject.replace(':', '-')}.SIG`],
  ['a tag that leaves its repository', () => '../../other/manifests/x-metadata'],
  ['a tag that is no text', () => 7],
];

for (const [name, tag] of TAGS) {
  test(`an attached artifact with ${name} is refused: it would take the place of an image`, async () => {
    const wrap = await forgeWrap('attached', ({ images }) => {
      const artifact = images[0]?.attached?.[0];
      if (artifact !== undefined) Object.assign(artifact, { tag: tag(artifact) });
      return undefined;
    });
    await assertWrapRefused(wrap, ['DT_WRAP_INVALID'], { throughProgram: false });
  });
}

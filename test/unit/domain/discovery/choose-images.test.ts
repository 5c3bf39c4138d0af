import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ChartImage } from '../../../../src/domain/chart/images-annotation.ts';
import { chooseImages } from '../../../../src/domain/discovery/choose-images.ts';
import type { DiscoveredImage } from '../../../../src/domain/discovery/discovered-image.ts';

const [A, B] = ['a', 'b'].map((letter) => `sha256:${letter.repeat(64)}`) as [string, string];

function annotated(image: string, name = 'x'): ChartImage {
  return { image, name, chart: 'shop', annotationKey: 'images' };
}

function found(reference: string, changes: Partial<DiscoveredImage> = {}): DiscoveredImage {
  const name = reference.replace(/[:@].*$/, '').replace(/^.*\//, '');
  const base = { chart: 'sub', confidence: 'rendered', isComplete: true, isTestOnly: false, reasons: [] } as const;
  return { reference, name, ...base, ...changes };
}

function choose(declared: readonly string[], images: readonly DiscoveredImage[], includesLikely = false): string[] {
  const chosen = chooseImages(
    declared.map((image) => annotated(image)),
    images,
    { includesLikely },
  );
  return chosen.images.map(({ image }) => image);
}

describe('chooseImages', () => {
  it('has what annotations name in their order and words, then the rest by reference', () => {
    const declared = [annotated('z/z:1', 'zet'), annotated('quay.io/team/app:1', 'app')];
    const images = [
      found('quay.io/team/tool:2', { confidence: 'declared', name: 'hammer' }),
      found('docker.io/z/z:1', { confidence: 'declared' }),
      found('ghcr.io/b/app:1'),
      found('ghcr.io/a/app:1', { isTestOnly: true }),
    ];
    const chosen = chooseImages(declared, images, { includesLikely: false });
    assert.deepEqual(
      chosen.images.map(({ chart, name, image, isGuess }) => [chart, name, image, isGuess]),
      [
        ['shop', 'zet', 'z/z:1', false],
        ['shop', 'app', 'quay.io/team/app:1', false],
        ['sub', 'app-2', 'ghcr.io/a/app:1', false],
        ['sub', 'app-3', 'ghcr.io/b/app:1', false],
        ['sub', 'hammer', 'quay.io/team/tool:2', false],
      ],
    );
    assert.deepEqual(chosen.leftOut, []);
  });

  it('takes an image once, however it is written', () => {
    const same: readonly (readonly [string, string])[] = [
      ['nginx', 'docker.io/library/nginx:latest'],
      ['index.docker.io/library/nginx:1', 'docker.io/library/nginx:1'],
      [`quay.io/a/b:1@${A}`, 'quay.io/a/b:1'],
      [`quay.io/a/b@${A}`, `quay.io/a/b:1@${A}`],
      ['quay.io/a/b:1', `quay.io/a/b:1@${A}`],
    ];
    for (const [declared, reference] of same) assert.deepEqual(choose([declared], [found(reference)]), [declared]);
    const others: readonly (readonly [string, string])[] = [
      ['quay.io/a/b:1', 'quay.io/a/b:2'],
      ['quay.io/a/b:1', 'quay.io/a/b'],
      ['quay.io/a/b:1', `quay.io/a/b@${A}`],
      [`quay.io/a/b@${A}`, 'quay.io/a/b:1'],
      [`quay.io/a/b:1@${A}`, `quay.io/a/b:1@${B}`],
      ['quay.io/a/b:1', 'ghcr.io/a/b:1'],
    ];
    for (const [declared, reference] of others) {
      assert.deepEqual(choose([declared], [found(reference)]), [declared, reference]);
    }
  });

  it('tells what runs by a digest that is declared by its tag', () => {
    const { pinned } = chooseImages(
      [annotated('a/b:1'), annotated(`a/c:1@${A}`)],
      [found(`docker.io/a/b:1@${B}`), found(`docker.io/a/c:1@${A}`)],
      { includesLikely: false },
    );
    assert.deepEqual(pinned, [{ declared: 'a/b:1', reference: `docker.io/a/b:1@${B}`, digest: B }]);
  });

  it('takes what is likely if it is asked to, and never what is dormant or has no tag', () => {
    const images = [
      found('quay.io/a/likely:1', { confidence: 'likely' }),
      found('quay.io/a/dormant:1', { confidence: 'dormant' }),
      found('quay.io/a/untagged', { isComplete: false }),
    ];
    assert.deepEqual(choose([], images), []);
    assert.deepEqual(choose([], images, true), ['quay.io/a/likely:1']);
    const { images: chosen, leftOut } = chooseImages([], images, { includesLikely: true });
    assert.equal(chosen[0]?.isGuess, true);
    assert.deepEqual(leftOut, images.slice(1));
  });
});

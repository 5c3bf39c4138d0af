import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { CheckedImage, DiscoveredImage } from '../../../src/domain/discovery/discovered-image.ts';
import { formatFoundImages } from '../../../src/output/found-images.ts';

const image: DiscoveredImage = {
  reference: 'quay.io/team/app:1',
  name: 'app',
  chart: 'shop',
  confidence: 'declared',
  isComplete: true,
  isTestOnly: false,
  reasons: [
    { kind: 'annotation', chart: 'shop', key: 'images' },
    {
      kind: 'rendering',
      template: 'shop/templates/p.yaml',
      object: 'Pod/p',
      path: 'spec.image',
      field: 'pod',
      isTest: false,
      origins: [{ kind: 'value', file: 'values.yaml', line: 3, path: 'image', text: 'quay.io' }],
    },
  ],
};

it('shows each image with its best reason, safe for a terminal', () => {
  const dormant: DiscoveredImage = {
    ...image,
    reference: 'ghcr.io/a',
    confidence: 'dormant',
    isComplete: false,
    isTestOnly: true,
    reasons: [{ kind: 'values', file: 'charts/\u001b[31mx/values.yaml', line: 1, path: 'a.image' }],
  };
  assert.equal(
    formatFoundImages([image, dormant]),
    [
      'IMAGE               CONFIDENCE              WHY',
      'quay.io/team/app:1  declared                values.yaml:3 image → Pod/p spec.image (and 1 more place)',
      'ghcr.io/a           dormant (test, no tag)  charts/x/values.yaml:1 a.image',
    ].join('\n'),
  );
});

it('says what the registry of a likely image has said', () => {
  const likely: CheckedImage = { ...image, confidence: 'likely', isTestOnly: true, registry: 'missing' };
  assert.match(formatFoundImages([likely]), /^quay\.io\/team\/app:1  likely \(missing, test\)  /m);
});

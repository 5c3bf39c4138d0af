import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DiscoveredImage, DiscoveryReason } from '../../../../src/domain/discovery/discovered-image.ts';
import { formatDiscovery } from '../../../../src/domain/discovery/discovery-document.ts';

function rendering(object: string, file: string): DiscoveryReason {
  const origin = { kind: 'value', file, line: 3, path: 'image', text: 'quay.io/a/b:1' } as const;
  const place = { template: 'shop/templates/p.yaml', object, path: 'spec', field: 'pod', isTest: false } as const;
  return { kind: 'rendering', ...place, origins: [origin] };
}

function imageOf(reasons: readonly DiscoveryReason[]): DiscoveredImage {
  const facts = { confidence: 'rendered', isComplete: true, isTestOnly: false } as const;
  return { reference: 'quay.io/a/b:1', name: 'b', chart: 'shop', ...facts, reasons };
}

function format(images: readonly DiscoveredImage[]): string {
  return formatDiscovery([
    { folder: 'shop-1', rendering: { state: 'rendered', helmVersion: 'v4.0.0' }, images },
  ]).toString();
}

describe('formatDiscovery', () => {
  it('says how each chart was looked at, and why each image is there', () => {
    const image = imageOf([
      { kind: 'annotation', chart: 'shop', key: 'images' },
      rendering('Job/shop', 'values.yaml'),
      { kind: 'values', file: '-f /home/me/site.yaml', line: 4, path: 'x' },
    ]);
    assert.deepEqual(JSON.parse(format([image])), {
      formatVersion: 1,
      charts: [
        {
          folder: 'shop-1',
          rendering: { state: 'rendered', helmVersion: 'v4.0.0' },
          images: [
            {
              reference: 'quay.io/a/b:1',
              name: 'b',
              chart: 'shop',
              confidence: 'rendered',
              isComplete: true,
              isTestOnly: false,
              reasons: [
                { kind: 'annotation', chart: 'shop', key: 'images' },
                {
                  kind: 'rendering',
                  template: 'shop/templates/p.yaml',
                  objectKind: 'Job',
                  path: 'spec',
                  field: 'pod',
                  isTest: false,
                  origins: [{ kind: 'value', file: 'values.yaml', line: 3, path: 'image', text: 'quay.io/a/b:1' }],
                },
                { kind: 'values', file: '-f site.yaml', line: 4, path: 'x' },
              ],
            },
          ],
        },
      ],
    });
  });

  it('does not depend on names that a chart draws by lot, nor on the machine', () => {
    const [first, second] = [
      [rendering('Job/shop-x7k2', 'values.yaml'), rendering('Job/shop-a', '-f /tmp/1/site.yaml')],
      [rendering('Job/shop-b3mm', 'values.yaml'), rendering('Job/shop-b', '-f /home/2/site.yaml')],
    ].map((reasons) => format([imageOf(reasons)]));
    assert.equal(first, second);
    assert.equal(
      format([imageOf([rendering('Job/a', 'values.yaml'), rendering('Job/b', 'values.yaml')])]),
      format([imageOf([rendering('Job/c', 'values.yaml')])]),
    );
  });

  it('has some reasons of an image that has very many', () => {
    const reasons = Array.from({ length: 5000 }, (_, index): DiscoveryReason => {
      return { kind: 'values', file: 'values.yaml', line: index + 1, path: 'x' };
    });
    assert.ok(format([imageOf(reasons)]).length < 10_000);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ImageFinding } from '../../../../src/domain/discovery/discovered-image.ts';
import { mergeFindings } from '../../../../src/domain/discovery/merge-discovered.ts';

const annotation: ImageFinding = {
  reference: 'docker.io/library/nginx:latest',
  name: 'web',
  chart: 'shop',
  confidence: 'declared',
  isComplete: true,
  reason: { kind: 'annotation', chart: 'shop', key: 'images' },
};

function rendered(
  reference: string,
  isTest: boolean,
  confidence: ImageFinding['confidence'] = 'rendered',
): ImageFinding {
  const place = { template: 't', object: 'Pod/p', path: 'spec', field: 'pod', origins: [] } as const;
  return { reference, chart: 'sub', confidence, isComplete: true, reason: { kind: 'rendering', isTest, ...place } };
}

describe('mergeFindings', () => {
  it('joins what means the same image, the strongest first', () => {
    const images = mergeFindings([
      rendered('docker.io/library/nginx', false),
      rendered('quay.io/a/b:1', false, 'likely'),
      annotation,
    ]);
    assert.deepEqual(
      images.map(({ reference, name, chart, confidence, reasons }) => [
        reference,
        name,
        chart,
        confidence,
        reasons.length,
      ]),
      [
        ['docker.io/library/nginx:latest', 'web', 'shop', 'declared', 2],
        ['quay.io/a/b:1', 'b', 'sub', 'likely', 1],
      ],
    );
  });

  it('calls an image one of tests only if nothing else runs it', () => {
    const isTestOnly = (...findings: ImageFinding[]): boolean | undefined => mergeFindings(findings)[0]?.isTestOnly;
    assert.equal(isTestOnly(rendered('a', true)), true);
    assert.equal(isTestOnly(rendered('a', true), rendered('a', false)), false);
    assert.equal(isTestOnly(rendered('docker.io/library/nginx:latest', true), annotation), false);
  });
});

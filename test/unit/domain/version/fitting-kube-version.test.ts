import assert from 'node:assert/strict';
import { it } from 'node:test';
import { findFittingKubeVersion } from '../../../../src/domain/version/fitting-kube-version.ts';

it('finds the version of Kubernetes that is nearest', () => {
  assert.equal(findFittingKubeVersion(['>=1.25.0-0'], 'v1.20.0'), '1.25.0');
  assert.equal(findFittingKubeVersion(['>=1.25', '^1.28.0-0'], 'v1.20.0'), '1.28.0');
  assert.equal(findFittingKubeVersion(['<1.22'], 'v1.34.0'), '1.21.0');
  assert.equal(findFittingKubeVersion(['>=2.0.0'], 'v1.34.0'), undefined);
  assert.equal(findFittingKubeVersion(['nonsense'], 'v1.34.0'), undefined);
});

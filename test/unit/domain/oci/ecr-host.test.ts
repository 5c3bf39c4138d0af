import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isEcrHost } from '../../../../src/domain/oci/ecr-host.ts';

test('knows the hosts of private registries of Amazon ECR', () => {
  for (const host of [
    '123456789012.dkr.ecr.eu-central-1.amazonaws.com',
    '123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn',
    '123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com',
    '123456789012.dkr-ecr.eu-west-1.on.aws',
    '123456789012.dkr.ecr.eu-central-1.amazonaws.com:443',
  ])
    assert.ok(isEcrHost(host), host);
});

test('and no others', () => {
  for (const host of [
    'public.ecr.aws',
    'registry.example.com',
    '123456789012.dkr.ecr.eu-central-1.amazonaws.com.evil.example',
    'dkr.ecr.eu-central-1.amazonaws.com',
    'x.123456789012.dkr.ecr.eu-central-1.amazonaws.com',
    '123456789012.dkr.ecr.eu-central-1.amazonaws.org',
  ])
    assert.ok(!isEcrHost(host), host);
});

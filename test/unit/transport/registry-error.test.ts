import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DtError } from '../../../src/domain/errors.ts';
import { toRegistryError } from '../../../src/transport/registry-error.ts';

const ECR = '123456789012.dkr.ecr.eu-central-1.amazonaws.com';

function answer(
  method: string,
  status: number,
  code: string,
  message = '',
  registry = 'r.example',
  headers = {},
): DtError {
  const body = Buffer.from(JSON.stringify({ errors: [{ code, message }] }));
  return toRegistryError(
    { method, registry, repository: 'a/b', what: 'manifest 1.0' },
    { status, headers, body },
    'shown',
  );
}

test('an immutable tag is called that, whatever status and code the registry has for it', () => {
  for (const [status, code, message] of [
    [400, 'TAG_INVALID', 'cannot be overwritten because the tag is immutable'],
    [403, 'DENIED', 'Immutable tags are on'],
    [409, 'TAG_IMMUTABLE', ''],
    [412, 'PRECONDITION', 'configured as immutable'],
  ] as const) {
    assert.equal(answer('PUT', status, code, message).code, 'DT_TAG_EXISTS', code);
  }
  assert.equal(answer('GET', 403, 'DENIED', 'immutable').code, 'DT_AUTH_DENIED');
  assert.equal(answer('PUT', 403, 'DENIED', 'no').code, 'DT_AUTH_DENIED');
  assert.equal(answer('PUT', 500, 'UNKNOWN', 'immutable').code, 'DT_REGISTRY_ERROR');
});

test('a repository that Amazon ECR does not have is explained, with the way to list them all', () => {
  const hasExplanation = (error: DtError): boolean => error.hints.some((hint) => hint.includes('--plan'));
  for (const method of ['POST', 'PUT']) {
    const error = answer(method, 404, 'NAME_UNKNOWN', 'no such repository', ECR);
    assert.equal(error.code, 'DT_NOT_FOUND');
    assert.ok(hasExplanation(error) && error.detail?.includes('no such repository') === true);
  }
  assert.ok(!hasExplanation(answer('GET', 404, 'NAME_UNKNOWN', '', ECR)));
  assert.ok(!hasExplanation(answer('PUT', 404, 'MANIFEST_BLOB_UNKNOWN', '', ECR)));
  assert.ok(!hasExplanation(answer('POST', 404, 'NAME_UNKNOWN')));
});

test("the registry's own words are passed on", () => {
  assert.match(answer('POST', 404, 'NOT_FOUND', 'project mirror not found').detail ?? '', /project mirror not found/);
});

test('what passes may be tried again, unless the registry wants to be left alone for long', () => {
  const afterWait = (wait: string): DtError =>
    answer('GET', 429, 'TOOMANYREQUESTS', '', 'r.example', { 'retry-after': wait });
  assert.ok(answer('GET', 503, 'UNAVAILABLE').isTransient);
  assert.ok(afterWait('300').isTransient);
  assert.ok(!afterWait('3600').isTransient);
  assert.match(afterWait('3600').detail ?? '', /1 h/);
});

test('only an answer that is about what was sent is a refusal of it', () => {
  const isRefusal = (method: string, status: number): boolean => answer(method, status, 'X').isRefusal;
  for (const status of [400, 404, 409, 413, 422]) assert.ok(isRefusal('PUT', status), String(status));
  for (const status of [401, 403, 408, 425, 429, 500, 502, 503]) assert.ok(!isRefusal('PUT', status), String(status));
  assert.ok(!isRefusal('GET', 404));
  assert.ok(!answer('PUT', 404, 'NAME_UNKNOWN', '', ECR).isRefusal, 'its repository is missing');
});

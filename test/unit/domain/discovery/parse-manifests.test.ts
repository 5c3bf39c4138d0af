import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseManifests, splitManifests } from '../../../../src/domain/discovery/parse-manifests.ts';

const parse = (output: string): ReturnType<typeof parseManifests> => parseManifests(splitManifests(output));

describe('parseManifests', () => {
  it('names template, kind and name of every document', () => {
    const { manifests } = parse(
      '---\n# Source: c/templates/a.yaml\nkind: Pod\nmetadata: {name: a}\n---\n# only a comment\n---\nkind: Job\nmetadata: {generateName: b-}\n',
    );
    assert.deepEqual(
      manifests.map(({ template, kind, name }) => [template, kind, name]),
      [
        ['c/templates/a.yaml', 'Pod', 'a'],
        ['c/templates/a.yaml', 'Job', 'b-'],
      ],
    );
  });

  it('does not take a line inside of a text for the end of a document', () => {
    const { manifests } = parse(
      '---\nkind: ConfigMap\ndata:\n  x: |\n    ---\n    # Source: forged\n    y\n---\r\nkind: Pod\r\n',
    );
    assert.deepEqual(
      manifests.map(({ kind, template }) => [kind, template]),
      [
        ['ConfigMap', ''],
        ['Pod', ''],
      ],
    );
  });

  it('takes lists apart and leaves definitions out', () => {
    const { manifests } = parse(
      '---\nkind: List\nitems:\n  - {kind: Pod}\n  - {kind: PodList, items: [{kind: Pod, metadata: {name: deep}}]}\n---\nkind: CustomResourceDefinition\nspec: {image: x}\n',
    );
    assert.deepEqual(
      manifests.map(({ kind, name }) => [kind, name]),
      [
        ['Pod', ''],
        ['Pod', 'deep'],
      ],
    );
  });

  it('gives the items of a list its type, if they have none', () => {
    const { manifests } = parse(
      'kind: DeploymentList\napiVersion: apps/v1\nitems: [{metadata: {name: a}}, {kind: Job, apiVersion: batch/v1}]\n---\nkind: List\napiVersion: v1\nitems: [{metadata: {name: b}}]\n',
    );
    assert.deepEqual(
      manifests.map(({ kind, content: { kind: contentKind, apiVersion } }) => [kind, contentKind, apiVersion]),
      [
        ['Deployment', 'Deployment', 'apps/v1'],
        ['Job', 'Job', 'batch/v1'],
        ['', undefined, undefined],
      ],
    );
  });

  it('marks what only helm test runs', () => {
    const isTest = (hook: string): boolean | undefined =>
      parse(`kind: Pod\nmetadata: {annotations: {helm.sh/hook: "${hook}"}}\n`).manifests[0]?.isTest;
    assert.equal(isTest('test'), true);
    assert.equal(isTest('test-success, test-failure'), true);
    assert.equal(isTest('test,post-install'), false);
    assert.equal(isTest('pre-install'), false);
    assert.equal(isTest(''), false);
  });

  it('reads what only Helm takes, and reports what nobody reads', () => {
    const { manifests, broken } = parse(
      '---\n# Source: c/twice.yaml\nkind: A\nkind: B\n---\n# Source: c/bad.yaml\nkind: [\n---\n# Source: c/good.yaml\nkind: C\n',
    );
    assert.deepEqual(
      manifests.map(({ kind }) => kind),
      ['B', 'C'],
    );
    assert.deepEqual(
      broken.map(({ template }) => template),
      ['c/bad.yaml'],
    );
  });
});

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { goldenArguments } from '../support/golden.ts';
import { readFolder } from '../support/relocation-fixtures.ts';
import type { RunCliResult } from '../support/run-cli.ts';
import { requireTool } from '../support/tools.ts';
import { errorCode, type DefectCheck } from './defect-checks.ts';
import type { ReplayContext } from './replay-frame.ts';

/** Texts of a file and what they become; nothing else in it changes. */
type Edits = readonly (readonly [from: string, to: string])[];

const VALUES = 'c/values.yaml';
const CHART = 'c/Chart.yaml';
const HUB_TO_ACME: Edits = [['registry: docker.io', 'registry: acme.com']];
const AB_MOVES: Edits = [...HUB_TO_ACME, ['repository: a/bb', 'repository: federal/a/bb']];
const NGINX_MOVES: Edits = [...HUB_TO_ACME, ['repository: bitnami/nginx', 'repository: federal/bitnami/nginx']];
const QUAY_AB_MOVES: Edits = [['repository: quay.io/a/bb', 'repository: acme.com/federal/a/bb']];
const QUAY_XY_MOVES: Edits = [['repository: quay.io/x/yy', 'repository: acme.com/federal/x/yy']];
const ANNOTATION_MOVES: Edits = [['image: a/image:1', 'image: acme.com/federal/a/image:1']];

/** A pod for each image of the values: the recorded charts have no template. Helm takes the key `n` for a boolean, so none is named. */
const TEMPLATE = `{{- range .Values }}
---
apiVersion: v1
kind: Pod
metadata: {name: {{ base .repository }}}
spec:
  containers:
    - name: main
      image: "{{ .registry }}/{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}"
{{- end }}
`;

/** Recorded defects of `charts relocate` and `charts annotate`. */
export const RELOCATION_DEFECTS: Readonly<Record<string, DefectCheck>> = {
  'defects/annotation-extra-fields-lost': relocates({ [CHART]: ANNOTATION_MOVES }),
  'defects/annotation-key-with-quote-fails': relocates({ [CHART]: ANNOTATION_MOVES }),
  'defects/annotation-name-reordered': relocates({
    [CHART]: [...ANNOTATION_MOVES, ['image: quay.io/x/yy:2', 'image: acme.com/federal/x/yy:2']],
  }),
  'defects/reference-localhost-without-port': relocates({
    [CHART]: [['image: localhost/team/app:1', 'image: acme.com/federal/team/app:1']],
  }),
  'defects/reference-tag-and-digest-loses-tag': relocates({
    [CHART]: [['image: quay.io/x/yy:1.2@sha256:', 'image: acme.com/federal/x/yy:1.2@sha256:']],
  }),
  'defects/relocate-twice-not-stable': relocates({
    [CHART]: [['image: registry.k8s.io/pause:3.9', 'image: acme.com/federal/pause:3.9']],
    [VALUES]: [
      ['registry: registry.k8s.io', 'registry: acme.com'],
      ['repository: pause', 'repository: federal/pause'],
    ],
  }),
  'defects/skip-relocation-changes-carvel-lock': relocates({}),

  'defects/values-alias-scalar-fails': relocates({
    [VALUES]: [
      ['registry: *r', 'registry: acme.com'],
      ['repository: a/bb', 'repository: federal/a/bb'],
    ],
  }),
  'defects/values-anchors-fail': relocates({ [VALUES]: AB_MOVES }),
  'defects/values-bad-digest-ignored': relocates({ [VALUES]: NGINX_MOVES }),
  'defects/values-bare-repository-loses-registry': relocates({
    [VALUES]: [
      ['repository: bitnami/nginx', 'repository: acme.com/federal/bitnami/nginx'],
      ['repository: nginx', 'repository: acme.com/federal/library/nginx'],
      ['repository: docker.io/nginx', 'repository: acme.com/federal/library/nginx'],
    ],
  }),
  'defects/values-bare-repository-registry-only-prefix': relocates({
    [VALUES]: [['repository: bitnami/nginx', 'repository: acme.com/bitnami/nginx']],
  }),
  'defects/values-blank-lines-and-style-lost': relocates({ [VALUES]: AB_MOVES }),
  'defects/values-boolean-like-key-fails': relocates({ [VALUES]: AB_MOVES }),
  'defects/values-crlf-lost': relocates({ [VALUES]: AB_MOVES }),
  'defects/values-docker-hub-prefix': relocates({
    [VALUES]: [
      ['registry: quay.io', 'registry: acme'],
      ['repository: x/yy', 'repository: team/x/yy'],
    ],
  }),
  'defects/values-file-in-helmignore': relocates({
    [VALUES]: [...HUB_TO_ACME, ['repository: x/yy', 'repository: federal/x/yy']],
    'c/values.prod.yaml': [...HUB_TO_ACME, ['repository: x/zz', 'repository: federal/x/zz']],
  }),
  'defects/values-key-with-dot-fails': relocates({ [VALUES]: QUAY_AB_MOVES }),
  'defects/values-key-with-space-fails': relocates({ [VALUES]: QUAY_AB_MOVES }),
  'defects/values-list-in-list-ignored': relocates({ [VALUES]: QUAY_XY_MOVES }),
  'defects/values-merge-key-fails': relocates({
    [VALUES]: [['  repository: a/bb', '  registry: acme.com\n  repository: federal/a/bb']],
  }),
  'defects/values-not-an-image-rewritten': relocates({}),
  'defects/values-null-field-not-relocated': relocates({
    [VALUES]: [...NGINX_MOVES, ['  registry: \n', '  registry: acme.com\n']],
  }),
  'defects/values-number-tag-not-relocated': relocates({ [VALUES]: NGINX_MOVES }),
  'defects/values-repository-with-tag-loses-tag-and-registry': relocates({ [VALUES]: QUAY_XY_MOVES }),
  'defects/values-second-document-dropped': relocates({ [VALUES]: AB_MOVES }),

  'defects/partial-relocation-on-error': refuses('DT_BAD_REFERENCE'),
  'defects/prefix-not-validated': refuses('DT_BAD_PREFIX'),
  'defects/reference-deep-path-collision': refuses('DT_RELOCATION_COLLISION'),

  'defects/values-file-that-does-not-exist': async (context) => {
    const before = readFolder(context.sandbox.work);
    const results = await runWithHelm(context);
    if (results === undefined) return;
    const [missing, dotted] = results;
    assert.ok(missing !== undefined && dotted !== undefined);
    assert.equal(errorCode(missing), 'DT_FILE_NOT_FOUND', missing.stderr);
    assert.equal(dotted.code, 0, dotted.stderr);
    const moved = before.get(VALUES)?.replace('docker.io', 'acme.com').replace('x/yy', 'federal/x/yy');
    assert.deepEqual(readFolder(context.sandbox.work), new Map(before).set(VALUES, moved ?? ''));
  },

  'defects/annotate-destroys-chart-yaml': annotates(['docker.io/bitnami/nginx:1']),
  'defects/annotate-untagged': annotates(['docker.io/bitnami/nginx:1.2.3', 'docker.io/bitnami/number:7']),
};

/** Every step works, and in the end the files differ from the input in these texts only. */
function relocates(edits: Readonly<Record<string, Edits>>): DefectCheck {
  return async (context) => {
    const expected = readFolder(context.sandbox.work);
    for (const [file, pairs] of Object.entries(edits)) {
      const text = pairs.reduce(
        (before, [from, to]) => {
          assert.ok(before.includes(from), `${file} has no "${from}"`);
          return before.replaceAll(from, to);
        },
        expected.get(file) ?? '',
      );
      expected.set(file, text);
    }
    const results = await runWithHelm(context);
    if (results === undefined) return;
    for (const { code, stderr } of results) assert.equal(code, 0, stderr);
    assert.deepEqual(readFolder(context.sandbox.work), expected);
  };
}

/** No step works, and no file changes. */
function refuses(code: string): DefectCheck {
  return async (context) => {
    const before = readFolder(context.sandbox.work);
    const results = await runWithHelm(context);
    if (results === undefined) return;
    for (const result of results) assert.equal(errorCode(result), code, result.stderr);
    assert.deepEqual(readFolder(context.sandbox.work), before);
  };
}

/** The images of the values are annotated, and every line of Chart.yaml stays where it is among the others. */
function annotates(images: readonly string[]): DefectCheck {
  return async (context) => {
    const { work } = context.sandbox;
    await mkdir(join(work, 'c/templates'), { recursive: true });
    await writeFile(join(work, 'c/templates/pods.yaml'), TEMPLATE);
    const before = readFolder(work);
    const results = await runWithHelm(context);
    if (results === undefined) return;
    for (const { code, stderr } of results) assert.equal(code, 0, stderr);
    const lines = (readFolder(work).get(CHART) ?? '').split('\n');
    const old = (before.get(CHART) ?? '').split('\n');
    const added = lines.filter((line) => !old.includes(line));
    assert.deepEqual(
      lines.filter((line) => old.includes(line)),
      old,
    );
    assert.deepEqual(
      added.flatMap((line) => /image: (\S+)$/.exec(line)?.[1] ?? []),
      images,
    );
  };
}

/** The results of all steps; undefined without Helm, and then the test is skipped. */
async function runWithHelm({ t, goldenCase, sandbox }: ReplayContext): Promise<RunCliResult[] | undefined> {
  const helm = requireTool(t, 'helm3');
  if (helm === undefined) return undefined;
  const results: RunCliResult[] = [];
  for (const step of goldenCase.steps) {
    results.push(await sandbox.run(goldenArguments(step, sandbox), { env: { HELM_BIN: helm } }));
  }
  assert.deepEqual(await sandbox.listTemporary(), []);
  return results;
}

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findLiteralMarks } from '../../../../src/domain/discovery/find-literal-marks.ts';
import { findEmptyMarks, findValueMarks } from '../../../../src/domain/discovery/find-value-marks.ts';
import type { RenderedImage } from '../../../../src/domain/discovery/rendered-image.ts';
import { parseReference } from '../../../../src/domain/oci/reference.ts';
import { createTextRelocation } from '../../../../src/domain/proof/expected-moves.ts';
import { headKey, planHeads, type HeadPlan, type TracedHead } from '../../../../src/domain/proof/plan-heads.ts';
import type { RelocationNaming } from '../../../../src/domain/relocation/image-naming.ts';
import { parseRelocationPrefix } from '../../../../src/domain/relocation/relocation-prefix.ts';
import { NO_REPLACED_INDEXES } from '../../../../src/domain/relocation/replaced-indexes.ts';
import { readYamlTree } from '../../../../src/domain/yaml/read-yaml-tree.ts';

const P = 'registry.internal:5000/mirror';

function imageOf(text: string): RenderedImage {
  return {
    text,
    reference: parseReference(text),
    field: 'pod',
    isCertain: true,
    isComplete: true,
    isTest: false,
    place: { template: 't.yaml', kind: 'Pod', name: 'p', path: [] },
  };
}

/** What the places of a values file that hold `head` say, each as a head of all the images. */
function headsOf(values: string, head: string): readonly TracedHead[] {
  const texts = [{ file: 'values.yaml', tree: readYamlTree(values, 'values.yaml') }];
  const heads = head === '' ? findEmptyMarks(texts) : findValueMarks(texts, [head]);
  assert.notEqual(heads.length, 0);
  return heads;
}

/** Plans for images that all begin with the same heads. */
function plan(heads: readonly TracedHead[], images: readonly string[], naming?: RelocationNaming): HeadPlan {
  const rule = { ...parseRelocationPrefix(P), ...(naming === undefined ? {} : { naming }) };
  return planHeads(
    new Map(images.map((text) => [imageOf(text), heads])),
    createTextRelocation(rule, NO_REPLACED_INDEXES),
  );
}

function summarize({ edits, unmovable }: HeadPlan): { edits: readonly string[]; unmovable: readonly string[] } {
  return {
    edits: edits.map(({ head, from, to }) => `${head.origin.path} ${from || '(empty)'} → ${to || '(empty)'}`),
    unmovable: unmovable.map(({ image, why }) => `${image.text} ${why}`),
  };
}

const HUB = headsOf('hub: quay.io\n', 'quay.io');

describe('planHeads', () => {
  for (const [name, values, head, images, edit] of [
    ['a registry', 'hub: quay.io\n', 'quay.io', ['quay.io/team/a:1', 'quay.io/team/b:2'], `hub quay.io → ${P}`],
    ['a registry with its slash', 'hub: quay.io/\n', 'quay.io/', ['quay.io/team/a:1'], `hub quay.io/ → ${P}/`],
    ['a folder', 'hub: quay.io/team\n', 'quay.io/team', ['quay.io/team/a:1'], `hub quay.io/team → ${P}/team`],
    ['a deep folder', 'hub: q.io/x/y\n', 'q.io/x/y', ['q.io/x/y/a:1', 'q.io/x/y/b:1'], `hub q.io/x/y → ${P}/y`],
    ['a repository', 'repo: quay.io/a/b/c\n', 'quay.io/a/b/c', ['quay.io/a/b/c:1'], `repo quay.io/a/b/c → ${P}/b/c`],
    ['a whole image', 'x: nginx:1.25\n', 'nginx:1.25', ['nginx:1.25'], `x nginx:1.25 → ${P}/library/nginx:1.25`],
    ['an empty registry', 'registry: ""\n', '', ['docker.io/team/a:1', 'quay.io/team/b:1'], `registry (empty) → ${P}`],
    ['an empty registry of bare names', 'registry:\n', '', ['team/a:1'], `registry (empty) → ${P}`],
    ['an empty registry of one part', 'registry: ""\n', '', ['nginx:1'], `registry (empty) → ${P}/library`],
  ] as const) {
    it(`edits ${name}`, () => {
      assert.deepEqual(summarize(plan(headsOf(values, head), images)), { edits: [edit], unmovable: [] });
    });
  }

  it('edits a part of a template', () => {
    const text = 'image: quay.io/team/app:{{ .Values.tag }}';
    const heads = findLiteralMarks([{ file: 'templates/p.yaml', text }], ['quay.io/team/app:1'], new Set());
    const { edits } = plan(heads, ['quay.io/team/app:1']);
    assert.deepEqual(
      edits.map(({ head, from, to }) => ['offset' in head && head.offset, from, to]),
      [[7, 'quay.io/team/app', `${P}/team/app`]],
    );
  });

  it('leaves images under the prefix out, and texts that are none', () => {
    assert.deepEqual(summarize(plan(headsOf(`hub: ${P}\n`, P), [`${P}/team/app:1`])), { edits: [], unmovable: [] });
    const traced = new Map([[{ ...imageOf('quay.io/a/b:1'), text: 'no image' }, HUB]]);
    assert.deepEqual(
      planHeads(traced, () => undefined),
      { edits: [], unmovable: [] },
    );
  });

  it('cannot move what the mapping renames behind the head', () => {
    assert.deepEqual(summarize(plan(HUB, ['quay.io/team/deep/a:1', 'quay.io/team/b:1'])), {
      edits: [`hub quay.io → ${P}`],
      unmovable: ['quay.io/team/deep/a:1 shape'],
    });
    assert.deepEqual(summarize(plan(HUB, ['quay.io/team/deep/a:1'], 'keep-path')), {
      edits: [`hub quay.io → ${P}`],
      unmovable: [],
    });
    assert.deepEqual(plan(HUB, ['quay.io/team/b:1'], 'flatten').unmovable[0]?.why, 'shape');
  });

  it('cannot move images that want different texts of one place, and names all of them', () => {
    const heads = headsOf('hub: docker.io\n', 'docker.io');
    assert.deepEqual(summarize(plan(heads, ['docker.io/nginx:1', 'docker.io/team/a:1'])), {
      edits: [],
      unmovable: ['docker.io/nginx:1 conflict', 'docker.io/team/a:1 conflict'],
    });
  });

  it('edits every place that an image begins with', () => {
    const heads = headsOf('one: quay.io\ntwo: quay.io\n', 'quay.io');
    assert.deepEqual(summarize(plan(heads, ['quay.io/team/a:1'])).edits, [`one quay.io → ${P}`, `two quay.io → ${P}`]);
  });

  it('does not believe a head that the image does not begin with', () => {
    assert.deepEqual(summarize(plan(HUB, ['ghcr.io/team/a:1'])).unmovable, ['ghcr.io/team/a:1 shape']);
  });
});

describe('headKey', () => {
  it('is one for one place, and tells places, parts and files apart', () => {
    const values = 'x: |\n  quay.io/team/a:1\n  quay.io/team/a:1\ny: quay.io/team/a:1\n';
    const heads = headsOf(values, 'quay.io/team/a:1');
    assert.equal(heads.length, 3);
    const keys = heads.flatMap((head) => [headKey(head), headKey({ ...head, file: 'other.yaml' })]);
    assert.equal(new Set(keys).size, 6);
    assert.deepEqual(headsOf(values, 'quay.io/team/a:1').map(headKey), heads.map(headKey));
  });
});

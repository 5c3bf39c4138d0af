import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { loadChart } from '../../../src/archive/load-chart.ts';
import { buildChartTree, type ChartTree } from '../../../src/domain/chart/chart-tree.ts';
import { digestHex, digestOf } from '../../../src/domain/oci/digest.ts';
import { parseRelocationPrefix } from '../../../src/domain/relocation/relocation-prefix.ts';
import type { RenderOptions } from '../../../src/helm/render-input.ts';
import { relocateProven, type ProvenRelocation } from '../../../src/workflows/relocating/relocate-proven.ts';
import { podOf } from '../../support/discovery-site.ts';
import { requireHelmContext } from '../../support/helm.ts';

const P = 'registry.internal:5000/mirror';
const HEAD = 'apiVersion: v2\nname: shop\nversion: 1.0.0\n';
const ANNOTATION = 'annotations:\n  images: |\n    - name: a\n      image: docker.io/library/nginx:1\n';
const BARE = 'image:\n  repository: nginx\n  tag: "1"\n';
const BARE_IMAGE = '{{ .Values.image.repository }}:{{ .Values.image.tag }}';

interface ShopOptions extends Partial<RenderOptions> {
  readonly valuesFiles?: RenderOptions['valuesFiles'];
  /** Values files of the chart. */
  readonly relocated?: readonly string[];
}

async function relocateShop(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  { relocated = ['values.yaml'], ...render }: ShopOptions = {},
): Promise<ProvenRelocation | undefined> {
  const context = await requireHelmContext(t, 'helm3');
  if (context === undefined) return undefined;
  const entries = Object.entries({ 'Chart.yaml': HEAD, ...files }).map(([path, text]) => ({
    path,
    type: 'file' as const,
    mode: 0o644,
    bytes: Buffer.from(text),
  }));
  return relocateProven(
    await loadChart(buildChartTree(entries), 'shop'),
    {
      prefix: parseRelocationPrefix(P),
      annotationKeys: ['images'],
      valuesFiles: relocated,
      repackSubchart: async () => Promise.reject(new Error('there is no subchart')),
      render: { valuesFiles: [], set: [], apiVersions: [], ...render },
    },
    context,
  );
}

function textOf(tree: ChartTree, path: string): string {
  return Buffer.from(tree.find((entry) => entry.path === path)?.bytes ?? []).toString();
}

describe('a proven relocation', () => {
  it('leaves annotations that a template reads, and moves the image all the same', async (t) => {
    const result = await relocateShop(t, {
      'Chart.yaml': HEAD + ANNOTATION,
      'values.yaml': BARE,
      'templates/p.yaml': `{{ if not (contains "docker.io" .Chart.Annotations.images) }}{{ fail "no docker" }}{{ end }}${podOf('p', BARE_IMAGE)}`,
    });
    if (result === undefined) return;
    const { relocated, proof } = result;
    assert.equal(textOf(relocated.tree, 'Chart.yaml'), HEAD + ANNOTATION);
    assert.match(textOf(relocated.tree, 'values.yaml'), new RegExp(`repository: ${P}/library/nginx`));
    assert.deepEqual(proof.left, []);
    assert.match(proof.objections.join(), /no docker/);
    assert.equal(proof.withdrawn[0]?.file, 'Chart.yaml');
  });

  it('does not rename what is called like its image', async (t) => {
    const result = await relocateShop(t, {
      'values.yaml': BARE,
      'templates/p.yaml': podOf('{{ .Values.image.repository }}', BARE_IMAGE),
    });
    if (result === undefined) return;
    assert.deepEqual(result.relocated.changes, []);
    assert.deepEqual(
      result.proof.left.map(({ reference, why }) => [reference, why]),
      [['nginx:1', 'refused']],
    );
    assert.match(result.proof.objections.join(), /metadata\.name: "nginx" would become/);
  });

  it('names an edit that no rendering shows, and a feature that it spoils', async (t) => {
    const off = `{{ if .Values.extra.enabled }}{{ if ne .Values.image.repository "nginx" }}{{ fail "another image" }}{{ end }}{{ end }}`;
    const result = await relocateShop(t, {
      'values.yaml': `${BARE}extra:\n  enabled: false\nspare:\n  repository: team/spare\n  tag: v1\n`,
      'templates/p.yaml': off + podOf('p', BARE_IMAGE),
    });
    if (result === undefined) return;
    assert.deepEqual(
      result.proof.unproven.map(({ path }) => path),
      ['spare.repository'],
    );
    assert.match(result.proof.objections.join(), /^with features on that are off: .*another image/);
  });

  it('proves features that do not get along with each other, each for itself', async (t) => {
    const values = ['a', 'b', 'c'].map((name) => `${name}:\n  enabled: false\n`).join('');
    const pods = ['a', 'b', 'c'].map((name) => [
      `templates/${name}.yaml`,
      `{{ if .Values.${name}.enabled }}\n${podOf(name, `quay.io/team/${name}:1`)}{{ end }}`,
    ]);
    const result = await relocateShop(t, {
      'values.yaml': values,
      'templates/p.yaml': `{{ if and .Values.a.enabled .Values.c.enabled }}{{ fail "not both" }}{{ end }}${podOf('p', 'quay.io/team/p:1')}`,
      ...(Object.fromEntries(pods) as Record<string, string>),
    });
    if (result === undefined) return;
    assert.deepEqual(
      result.proof.moved.map(({ from, isOff }) => [from, isOff]),
      [
        ['quay.io/team/p:1', false],
        ['quay.io/team/a:1', true],
        ['quay.io/team/b:1', true],
        ['quay.io/team/c:1', true],
      ],
    );
    assert.equal(textOf(result.relocated.tree, 'values.yaml'), values);
  });

  it('renders a values file of the chart that is named in another form, and the chart without those from outside', async (t) => {
    const template = podOf('p', '{{ .Values.hub }}/team/app:1');
    const files = {
      'values.yaml': 'hub: quay.io\n',
      'values-prod.yaml': 'hub: ghcr.io\n',
      'templates/p.yaml': template,
    };
    const inside = await relocateShop(t, files, { relocated: ['values.yaml', './values-prod.yaml'] });
    if (inside === undefined) return;
    assert.equal(textOf(inside.relocated.tree, 'values-prod.yaml'), `hub: ${P}\n`);
    const outside = await relocateShop(t, files, {
      valuesFiles: [{ name: 'my.yaml', bytes: Buffer.from('hub: docker.io\n') }],
    });
    assert.equal(textOf(outside?.relocated.tree ?? [], 'values.yaml'), `hub: ${P}\n`);
    assert.deepEqual(
      outside?.proof.left.map(({ reference, why }) => [reference, why]),
      [['docker.io/team/app:1', 'values']],
    );
  });

  it('keeps its edits where an index has another digest in the target', async (t) => {
    const [from, to] = [digestOf('source'), digestOf('target')];
    const result = await relocateShop(t, {
      'values.yaml': `hub: quay.io/team\nname: app\nsha: ${from}\n`,
      'templates/p.yaml': podOf('p', '{{ .Values.hub }}/{{ .Values.name }}@{{ .Values.sha }}'),
      'templates/q.yaml': podOf('q', `ghcr.io/team/app@${from}`),
    });
    if (result === undefined) return;
    assert.equal(result.proof.moved.length, 2);
    const { tree, changes } = await result.relocateFor(new Map([[from, to]]));
    assert.equal(textOf(tree, 'values.yaml'), `hub: ${P}/team\nname: app\nsha: ${to}\n`);
    assert.match(textOf(tree, 'templates/q.yaml'), new RegExp(`${P}/team/app@${to}`));
    assert.equal(changes.filter((change) => change.to === digestHex(to)).length, 2);
  });

  it('is one of the user as he says, or none', async (t) => {
    const files = { 'values.yaml': BARE, 'templates/p.yaml': podOf('p', BARE_IMAGE) };
    await assert.rejects(relocateShop(t, files, { kubeVersion: 'x' }), { code: 'DT_CHART_NOT_RENDERED' });
    const picky = { ...files, 'templates/q.yaml': '{{ required "a host" .Values.host }}' };
    const result = await relocateShop(t, picky);
    assert.equal(result?.proof.state, 'unproven');
  });
});

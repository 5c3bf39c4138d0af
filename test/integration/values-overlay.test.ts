import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { before, describe, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { packChartArchive } from '../../src/archive/chart-archive.ts';
import { loadChart } from '../../src/archive/load-chart.ts';
import { buildChartTree, type ChartTree } from '../../src/domain/chart/chart-tree.ts';
import type { Chart } from '../../src/domain/chart/chart.ts';
import { parseImageText } from '../../src/domain/relocation/image-fields.ts';
import { relocateChart } from '../../src/domain/relocation/relocate-chart.ts';
import { parseRelocationPrefix } from '../../src/domain/relocation/relocation-prefix.ts';
import { buildValuesOverlay } from '../../src/domain/relocation/values-overlay.ts';
import { skipLoudly } from '../support/skip-loudly.ts';
import { requireTool, type ToolName } from '../support/tools.ts';

const PREFIX = parseRelocationPrefix('registry.internal:5000/mirror');
const CORPUS = join(import.meta.dirname, '../../../shared/corpus');
const HELMS: readonly ToolName[] = ['helm3', 'helm4'];
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;
/** Everything that a chart sees, so that nothing can differ unnoticed. */
const DUMP = `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Chart.Name }}
data:
  values: |
    {{- .Values | toYaml | nindent 4 }}
`;

type Files = Readonly<Record<string, string | Uint8Array>>;

describe('helm template of the original chart with the overlay is that of the relocated chart', () => {
  let charts: Readonly<Record<string, Files>>;
  before(async () => {
    charts = { 'a parent with everything': await parentFiles(), 'an old chart': requirementsFiles() };
  });

  for (const helm of HELMS) {
    for (const name of ['a parent with everything', 'an old chart']) {
      test(`${name}, ${helm}`, async (t) => {
        const binary = requireTool(t, helm);
        if (binary === undefined) return;
        const overlay = await checkRendering(t, binary, charts[name] ?? {});
        assert.match(overlay, /registry\.internal:5000/);
      });
    }

    test(`a chart of which nothing changes has no overlay, ${helm}`, async (t) => {
      const binary = requireTool(t, helm);
      if (binary === undefined) return;
      const values = 'image:\n  repository: registry.internal:5000/mirror/a/b\n';
      assert.equal(await checkRendering(t, binary, { ...chartFiles('plain'), 'values.yaml': values }), '');
    });

    test(`the values of all charts of the corpus, ${helm}`, async (t) => {
      const binary = requireTool(t, helm);
      if (!existsSync(CORPUS)) skipLoudly(t, 'the corpus is not there');
      else if (binary !== undefined) {
        const overlay = await checkRendering(t, binary, corpusFiles());
        assert.ok(overlay.split('\n').length > 1_000);
      }
    });
  }
});

interface Rendered {
  /** Empty if there is no overlay. */
  readonly overlay: string;
  readonly unexpressed: readonly string[];
  readonly original: string;
  readonly overlaid: string;
  readonly relocated: string;
}

/** What a version of Helm takes in another way than the other one. */
const DIFFERENCES: readonly (readonly [string, Files, string, ToolName])[] = [
  [
    'nulls by which a chart takes a default from its subchart',
    {
      ...chartFiles('nulls'),
      'values.yaml': 'sub: {image: {tag: ~}}\n',
      ...under('charts/sub', { ...chartFiles('sub'), 'values.yaml': 'image: {repository: quay.io/a/b, tag: "1"}\n' }),
    },
    'sub.image.tag',
    'helm4',
  ],
  [
    'several documents in values.yaml',
    {
      ...chartFiles('documents'),
      'values.yaml': 'image: {repository: quay.io/a/b, tag: 1}\n---\nimage: {repository: quay.io/c/d}\n',
    },
    'image.repository',
    'helm3',
  ],
];

describe('values that an overlay cannot give are named', () => {
  for (const [name, files, path, differing] of DIFFERENCES) {
    for (const helm of HELMS) {
      test(`${name}, ${helm}`, async (t) => {
        const binary = requireTool(t, helm);
        if (binary === undefined) return;
        const rendered = await renderAll(t, binary, files);
        assert.deepEqual(rendered.unexpressed, [path]);
        assert.equal(rendered.overlaid === rendered.relocated, helm !== differing);
      });
    }
  }
});

/** Returns the overlay, empty if there is none. */
async function checkRendering(t: TestContext, helm: string, files: Files): Promise<string> {
  const { overlay, unexpressed, original, overlaid, relocated } = await renderAll(t, helm, files);
  assert.deepEqual(unexpressed, []);
  assert.equal(original !== relocated, overlay !== '');
  assert.ok(overlaid === relocated, firstDifference(overlaid, relocated));
  return overlay;
}

/** `helm` is the path of the program. */
async function renderAll(t: TestContext, helm: string, files: Files): Promise<Rendered> {
  const original = await loadChart(toTree(files), 'original');
  const { tree } = await relocateChart(original, {
    prefix: PREFIX,
    annotationKeys: ['images'],
    valuesFiles: ['values.yaml'],
    repackSubchart: async (subchart, changed) => pack(subchart.metadata.name, changed),
  });
  const relocated = await loadChart(tree, 'relocated');
  const { text: overlay = '', unexpressed } = buildValuesOverlay(original, relocated, PREFIX);
  const folder = await mkdtemp(join(tmpdir(), 'dt-overlay-'));
  t.after(async () => rm(folder, { recursive: true }));
  const render = async (chart: Chart, values: string): Promise<string> => {
    const [archive, file] = [join(folder, 'chart.tgz'), join(folder, 'overlay.yaml')];
    await writeFile(archive, await pack(chart.metadata.name, chart.tree));
    await writeFile(file, values);
    const args = ['template', 'release', archive, ...(values === '' ? [] : ['--values', file])];
    const env = { HOME: folder, PATH: '' };
    return (await promisify(execFile)(helm, args, { env, maxBuffer: MAX_OUTPUT_BYTES })).stdout;
  };
  return {
    overlay,
    unexpressed,
    original: await render(original, ''),
    overlaid: await render(original, overlay),
    relocated: await render(relocated, ''),
  };
}

function firstDifference(left: string, right: string): string {
  const [a, b] = [left.split('\n'), right.split('\n')];
  const at = a.findIndex((line, index) => line !== b[index]);
  return `line ${String(at + 1)}:\n${a.slice(at - 8, at + 3).join('\n')}\ninstead of\n${b.slice(at - 8, at + 3).join('\n')}`;
}

function toTree(files: Files): ChartTree {
  return buildChartTree(
    Object.entries(files).map(([path, content]) => ({
      path,
      type: 'file',
      mode: 0o644,
      bytes: typeof content === 'string' ? Buffer.from(content) : content,
    })),
  );
}

async function pack(name: string, tree: ChartTree): Promise<Buffer> {
  return packChartArchive(name, tree, { mtimeSeconds: 0 });
}

function chartFiles(name: string, more = '', version = '1.0.0'): Record<string, string> {
  const metadata = `apiVersion: v2\nname: ${name}\nversion: ${version}\n${more}`;
  return { 'Chart.yaml': metadata, 'templates/values.yaml': DUMP };
}

function under(folder: string, files: Files): Files {
  return Object.fromEntries(Object.entries(files).map(([path, content]) => [`${folder}/${path}`, content]));
}

/** Aliases, packed and unpacked subcharts, two versions of one, globals, imports, lists, nulls and odd scalars. */
async function parentFiles(): Promise<Files> {
  const leaf = {
    ...chartFiles('leaf'),
    'values.yaml':
      'image: {registry: docker.io, repository: bitnami/leaf, tag: 1.10}\nglobal:\n  tool:\n    image: {repository: quay.io/glob/leaf, tag: a}\n',
  };
  const sub = {
    ...chartFiles('sub'),
    'values.yaml': `image:
  registry: quay.io
  repository: org/sub
  tag: "1.10"
sidecars:
  - name: one
    image: {repository: ghcr.io/side/one, tag: 0777, pullPolicy: yes}
    flags: ["yes", 1.10, "0x1F", ~, 1_000, 12:30, 2001-01-01, "", 'it''s', "a\\tb", .5, y, "n", !!str 5]
    script: |
      first: 1

        second
    empty: {}
    none: []
  - name: two
    image: {repository: ghcr.io/side/two, tag: "true"}
global:
  helper:
    image: {repository: quay.io/glob/sub, tag: b}
exports:
  data:
    imported:
      image: {repository: quay.io/exp/one, tag: c}
inner:
  image: {repository: quay.io/inner/imp, tag: d}
`,
    ...under('charts/leaf', leaf),
  };
  const second = {
    ...chartFiles('sub', '', '2.0.0'),
    'values.yaml': 'image: {repository: quay.io/org/sub-two, tag: 2}\n',
  };
  const dependencies = `dependencies:
  - {name: sub, version: 1.x, repository: "", alias: first, import-values: [data, {child: inner, parent: outer.place}]}
  - {name: sub, version: ~1.0.0, repository: "", alias: "yes"}
  - {name: sub, version: ">=2", repository: "", condition: third.enabled, alias: third}
  - {name: gone, version: "*", repository: ""}
`;
  const annotations = 'annotations:\n  images: |\n    - image: quay.io/plain/text:1\n';
  return {
    ...chartFiles('parent', dependencies + annotations),
    'values.yaml': `# The parent
on:
  image: {repository: quay.io/key/on, tag: x}
"off":
  image: {repository: quay.io/key/off, tag: x}
base: &base
  registry: docker.io
  repository: a/base
merged:
  <<: *base
  repository: a/merged
text: quay.io/plain/text:1
texts: [quay.io/plain/text:1, 1.10, "1.10", no]
empty:
  image: {registry: , repository: a/empty, tag: 1}
nothing:
  image: {registry: ~, repository: a/nothing, tag: 1}
third:
  enabled: true
first:
  image:
    repository: other/sub
  leaf:
    image: {registry: registry.internal:5000, repository: mirror/kept/leaf}
  sidecars: []
global:
  imageRegistry: ""
  helper:
    image: {repository: quay.io/glob/parent}
loose:
  image: {registry: gcr.io}
`,
    ...under('charts/loose', {
      ...chartFiles('loose'),
      'values.yaml': 'image: {registry: docker.io, repository: a/loose, tag: 1}\n',
    }),
    ...under('charts/gone', { ...chartFiles('gone'), 'values.yaml': 'image: {repository: quay.io/go/ne, tag: 1e3}\n' }),
    'charts/sub-1.0.0.tgz': await pack('sub', toTree(sub)),
    'charts/sub-2.0.0.tgz': await pack('sub', toTree(second)),
    'values-extra.yaml': 'image: {repository: quay.io/not/applied, tag: 1}\n',
  };
}

function requirementsFiles(): Files {
  return {
    ...chartFiles('old'),
    'Chart.yaml': 'apiVersion: v1\nname: old\nversion: 1.0.0\n',
    'requirements.yaml': 'dependencies:\n  - {name: child, version: 1.0.0, repository: "", alias: kid}\n',
    'values.yaml': 'kid: {image: {tag: mine}}\n',
    ...under('charts/child', {
      ...chartFiles('child'),
      'values.yaml': 'image: {repository: quay.io/ch/ild, tag: 1}\n',
    }),
  };
}

/** One parent with a subchart for each chart of the corpus, which declares the images that the chart is known to deploy. */
function corpusFiles(): Files {
  const folders = globSync(join(CORPUS, '*/truth.json')).map(dirname).sort();
  assert.ok(folders.length > 200);
  const subcharts = folders.flatMap((folder, index) => {
    const { images } = JSON.parse(readFileSync(join(folder, 'truth.json'), 'utf8')) as {
      images: readonly { normalised: string }[];
    };
    const declared = images.filter(({ normalised }) => parseImageText(normalised) !== undefined);
    const list = declared.map(({ normalised }) => `    - image: ${normalised}\n`).join('');
    const annotations = list === '' ? '' : `annotations:\n  images: |\n${list}`;
    const file = join(folder, 'values.yaml');
    if (!existsSync(file)) return [];
    const name = `corpus-${String(index)}`;
    const files = { ...chartFiles(name, annotations), 'values.yaml': readFileSync(file, 'utf8') };
    return Object.entries(under(`charts/${name}`, files));
  });
  return { ...chartFiles('corpus'), ...Object.fromEntries(subcharts) };
}

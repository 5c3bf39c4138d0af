import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseChartMetadata } from '../../src/domain/chart/chart-metadata.ts';
import { parseImagesAnnotation } from '../../src/domain/chart/images-annotation.ts';
import { formatReference, parseReference } from '../../src/domain/oci/reference.ts';
import { listGoldenCases, recordedOutput } from '../support/golden.ts';
import { readFolder } from '../support/relocation-fixtures.ts';
import { requireTool } from '../support/tools.ts';
import { recordedFiles, runSteps, type Replay, type ReplayContext } from './replay-frame.ts';

/** Where we differ on purpose, beside the two differences of all cases. */
export const ANNOTATE_DIFFERENCES: Readonly<
  Record<string, { readonly reason: string; readonly keeps: readonly string[] }>
> = {
  'dt-annotate/replaces-existing': {
    reason: 'what a chart declares stays declared; what is found is added',
    keeps: ['image docker.io/old/image:1'],
  },
};

/** A pod for every map of the values that names an image: the recorded charts have values only. */
const TEMPLATE = `{{- range $name, $image := .Values }}
{{- if and (kindIs "map" $image) $image.repository (not (contains "://" ($image.repository | default ""))) }}
---
apiVersion: v1
kind: Pod
metadata: {name: {{ $name }}}
spec:
  containers:
    - name: {{ $name }}
      image: "{{ with $image.registry }}{{ . }}/{{ end }}{{ $image.repository }}{{ with $image.tag }}:{{ . }}{{ end }}{{ with $image.digest }}@{{ . }}{{ end }}"
{{- end }}
{{- end }}
`;
const CHART_FILE = 'c/Chart.yaml';
const SUBCHART = 'c/charts/alpha';

/**
 * `charts annotate` goes by the rendering, not by the shape of values: nothing of the recorded charts is annotated before they have
 * a template. With one the recorded images are, all in the chart itself, and no line of its Chart.yaml goes, moves or changes (defect
 * `annotate-destroys-chart-yaml`).
 */
export function replayAnnotateCases(replay: Replay): void {
  for (const path of listGoldenCases('dt-annotate')) {
    replay(path, async (context) => {
      const { t, sandbox } = context;
      const helm = requireTool(t, 'helm3');
      if (helm === undefined) return;
      const before = readFolder(sandbox.work);
      for (const { stderr } of await runSteps(context, { env: { HELM_BIN: helm } })) {
        if (ANNOTATE_DIFFERENCES[path] === undefined)
          assert.match(stderr, /Warning: no image was found in the chart c/);
      }
      assert.deepEqual(readFolder(sandbox.work), before);

      await addTemplates(sandbox.work);
      await runSteps(context, { env: { HELM_BIN: helm } });
      const [old = '', now] = [before.get(CHART_FILE), await readFile(join(sandbox.work, CHART_FILE), 'utf8')];
      assert.deepEqual(listImages(now, context), await listRecordedImages(context));
      assert.deepEqual(
        old.split('\n').filter((line) => !now.split('\n').includes(line)),
        [],
      );
      assert.ok(now.startsWith(old.slice(0, old.indexOf('annotations:'))));
      for (const [file, text] of before) {
        if (file !== CHART_FILE) assert.equal(await readFile(join(sandbox.work, file), 'utf8'), text, file);
      }
    });
  }
}

async function addTemplates(work: string): Promise<void> {
  for (const chart of ['c', SUBCHART].filter((folder) => existsSync(join(work, folder)))) {
    const template = join(work, chart, 'templates/pods.yaml');
    await mkdir(dirname(template), { recursive: true });
    await writeFile(template, TEMPLATE);
  }
}

/** `NAME IMAGE` of the annotation that the case is about, the image with its full name; sorted. */
function listImages(text: string, { goldenCase }: ReplayContext): string[] {
  const argv = goldenCase.steps[0]?.argv ?? [];
  const key = argv[argv.indexOf('--annotations-key') + 1 || argv.length] ?? 'images';
  const annotation = parseChartMetadata(text, CHART_FILE).annotations[key];
  return parseImagesAnnotation(annotation ?? '', key, CHART_FILE)
    .map(({ name, image }) => `${name} ${formatReference(parseReference(image))}`)
    .toSorted();
}

/** What the Go tool wrote, into whichever chart, and what we keep. */
async function listRecordedImages(context: ReplayContext): Promise<string[]> {
  const { goldenCase } = context;
  const texts = recordedFiles(goldenCase).map(async (file) => readFile(recordedOutput(goldenCase, file), 'utf8'));
  const recorded = (await Promise.all(texts)).flatMap((text) => listImages(text, context));
  return [...recorded, ...(ANNOTATE_DIFFERENCES[goldenCase.path]?.keeps ?? [])].toSorted();
}

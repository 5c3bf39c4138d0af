import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readChartFolder } from '../../../../src/archive/chart-folder.ts';
import { unpackChartArchive } from '../../../../src/archive/chart-archive.ts';
import { loadChart } from '../../../../src/archive/load-chart.ts';
import { formatChartConfig } from '../../../../src/domain/chart/chart-config.ts';
import {
  chartManifestAnnotations,
  chartTag,
  formatChartManifest,
} from '../../../../src/domain/chart/chart-manifest.ts';
import { parseChartMetadata } from '../../../../src/domain/chart/chart-metadata.ts';
import { digestOf } from '../../../../src/domain/oci/digest.ts';
import {
  MEDIA_TYPE_HELM_CHART,
  MEDIA_TYPE_HELM_CONFIG,
  MEDIA_TYPE_HELM_PROVENANCE,
} from '../../../../src/domain/oci/media-types.ts';
import { GOLDEN_FOLDER, listGoldenFiles, readGoldenText } from '../lock/golden-files.ts';

for (const name of ['helm3-push', 'helm4-push']) {
  test(`config and manifest of ${name} have the bytes of Helm`, async () => {
    const folder = join(GOLDEN_FOLDER, 'helm', name);
    const archive = await readFile(join(folder, 'input/mychart-1.0.0+build.5.tgz'));
    const { metadata } = await loadChart(await unpackChartArchive(archive, name), name);
    const config = formatChartConfig(metadata);
    assert.equal(config, readGoldenText(`helm/${name}/output/config.json`));

    const registry = JSON.parse(readGoldenText(`helm/${name}/output/registry-5102.json`)) as Record<
      string,
      Record<string, { digest: string }>
    >;
    const pushed = registry['charts/mychart']?.[chartTag(metadata.version)];
    const manifest = formatChartManifest({
      config: { mediaType: MEDIA_TYPE_HELM_CONFIG, digest: digestOf(config), size: Buffer.byteLength(config) },
      chart: { mediaType: MEDIA_TYPE_HELM_CHART, digest: digestOf(archive), size: archive.length },
      annotations: chartManifestAnnotations(metadata, '2024-01-01T00:00:00Z'),
    });
    assert.equal(digestOf(manifest), pushed?.digest);
  });
}

const pushedConfigs = listGoldenFiles(/output\/pushed-chart\.config\.json$/).filter((path) =>
  existsSync(join(GOLDEN_FOLDER, path, '../pushed-chart')),
);

test('there are pushed charts', () => {
  assert.ok(pushedConfigs.length >= 5, String(pushedConfigs.length));
});

for (const path of pushedConfigs) {
  test(`${path} follows from the chart`, async () => {
    const expected = readGoldenText(path);
    const { name } = JSON.parse(expected) as { name: string };
    const { metadata } = await loadChart(
      await readChartFolder(join(GOLDEN_FOLDER, path, '../pushed-chart', name)),
      name,
    );
    assert.equal(formatChartConfig(metadata), expected);
  });
}

const configOf = (yaml: string): string =>
  formatChartConfig(parseChartMetadata(`name: c\nversion: 1.0.0\n${yaml}`, 'x'));

// Recorded with Helm's own types: json.Marshal of chart.Metadata after Validate.
const CONFIGS: Readonly<Record<string, readonly [string, string]>> = {
  'empty fields are left out': [
    'description: ""\nsources: []\nannotations: {}\ndeprecated: false\nmaintainers:\n',
    '{"name":"c","version":"1.0.0","apiVersion":"v1"}',
  ],
  deprecated: ['deprecated: true', '{"name":"c","version":"1.0.0","apiVersion":"v1","deprecated":true}'],
  'line breaks become blanks': [
    'description: |\n  one\n  two\n',
    '{"name":"c","version":"1.0.0","description":"one two ","apiVersion":"v1"}',
  ],
  'signs are escaped': [
    'home: "a<b>&\\u2028c"',
    '{"name":"c","home":"a\\u003cb\\u003e\\u0026 c","version":"1.0.0","apiVersion":"v1"}',
  ],
  'annotations keep line breaks and are sorted by byte': [
    'annotations: {b: "x\\u2028<\\ny", B: 2, "10": a, "9": b}',
    '{"name":"c","version":"1.0.0","apiVersion":"v1","annotations":{"10":"a","9":"b","B":"2","b":"x\\u2028\\u003c\\ny"}}',
  ],
  'dependencies have all fields in order': [
    'dependencies: [{alias: z, tags: [t], import-values: [data, {parent: p, child: q}], condition: a.b, repository: "", version: ^1, name: dep, enabled: true}, {name: m}]',
    '{"name":"c","version":"1.0.0","apiVersion":"v1","dependencies":[{"name":"dep","version":"^1","repository":"","condition":"a.b","tags":["t"],"enabled":true,"import-values":["data",{"child":"q","parent":"p"}],"alias":"z"},{"name":"m","repository":""}]}',
  ],
  'unknown fields are dropped': ['engine: gotpl\nfoo: bar', '{"name":"c","version":"1.0.0","apiVersion":"v1"}'],
};
for (const [what, [yaml, expected]] of Object.entries(CONFIGS)) {
  test(`config: ${what}`, () => {
    assert.equal(configOf(yaml), expected);
  });
}

for (const yaml of ['sources: a', 'maintainers: [a]', 'home: {}', 'keywords: [[a]]']) {
  test(`config: ${yaml} is refused`, () => {
    assert.throws(() => configOf(yaml), { code: 'DT_CHART_INVALID' });
  });
}

test('a provenance file is the second layer', () => {
  const blob = { digest: digestOf('x'), size: 1, annotations: { not: 'written' } };
  const bytes = formatChartManifest({
    config: { ...blob, mediaType: MEDIA_TYPE_HELM_CONFIG },
    chart: { ...blob, mediaType: MEDIA_TYPE_HELM_CHART },
    provenance: { ...blob, mediaType: MEDIA_TYPE_HELM_PROVENANCE },
    annotations: { b: '2', a: '1' },
  });
  const digest = digestOf('x');
  assert.equal(
    Buffer.from(bytes).toString(),
    `{"schemaVersion":2,"config":{"mediaType":"${MEDIA_TYPE_HELM_CONFIG}","digest":"${digest}","size":1},"layers":[` +
      `{"mediaType":"${MEDIA_TYPE_HELM_CHART}","digest":"${digest}","size":1},` +
      `{"mediaType":"${MEDIA_TYPE_HELM_PROVENANCE}","digest":"${digest}","size":1}],"annotations":{"a":"1","b":"2"}}`,
  );
});

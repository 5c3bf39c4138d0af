import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MEDIA_TYPE_HELM_CONFIG } from '../../src/domain/oci/media-types.ts';
import { readArchiveFiles } from '../support/archives.ts';
import type { GoldenCase } from '../support/golden.ts';
import { listTags, readStoredBlob, readStoredChart, readStoredManifest } from '../support/registry-content.ts';

/** How what we push from a wrap differs from what the Go tool pushed. */
export interface PushDifference {
  /** The wrap with metadata of its chart, which we push and the Go tool does not. */
  readonly chartMetadataOf?: string;
}

interface RecordedManifest {
  readonly digest: string;
  readonly manifest: {
    readonly config?: { readonly mediaType: string };
    readonly manifests?: readonly { readonly digest: string }[];
  };
}

type RecordedRegistry = Readonly<Record<string, Readonly<Record<string, RecordedManifest>>>>;

/** A `REPOSITORY:TAG` with the digest that it must have; undefined for a chart, whose digest depends on the time. */
type ExpectedTags = Map<string, string | undefined>;

const CHART_METADATA_LAYOUT = 'artifacts/chart/metadata';

/**
 * Checks what the target holds against what the Go tool pushed from the same wrap: the same tags, each with the recorded digest
 * (which is that of the bytes), and everything below it.
 */
export async function compareRegistry(
  host: string,
  goldenCase: GoldenCase,
  difference: PushDifference = {},
): Promise<void> {
  const recorded = readRecorded(goldenCase);
  const expected = new Map([
    ...listExpectedTags(recorded),
    ...(await listChartMetadataTags(recorded, goldenCase, difference)),
  ]);
  const tags = await listTags(host);
  assert.deepEqual([...tags.keys()].sort(), [...expected.keys()].sort());
  for (const [name, digest] of expected) {
    const [repository, tag] = splitTag(name);
    await requireComplete(host, repository, tag);
    if (digest === undefined) await compareChart(host, repository, tag, goldenCase);
    else assert.equal(tags.get(name), digest, name);
  }
}

/**
 * The recorded tags, but for one thing: the Go tool puts a list around every image, and we leave a single manifest what it was at
 * its source. Signatures and metadata are then found by the digest of that manifest, not by that of the list.
 */
function listExpectedTags(recorded: RecordedRegistry): ExpectedTags {
  const expected: ExpectedTags = new Map();
  for (const [repository, tags] of Object.entries(recorded)) {
    const unlisted = new Map<string, string>();
    for (const { digest, manifest } of Object.values(tags)) {
      const [only, ...others] = manifest.manifests ?? [];
      if (only !== undefined && others.length === 0) unlisted.set(digest, only.digest);
    }
    for (const [tag, { digest, manifest }] of Object.entries(tags)) {
      const isChart = manifest.config?.mediaType === MEDIA_TYPE_HELM_CONFIG;
      expected.set(
        `${repository}:${replaceTagDigest(tag, unlisted)}`,
        isChart ? undefined : (unlisted.get(digest) ?? digest),
      );
    }
  }
  return expected;
}

function replaceTagDigest(tag: string, unlisted: ReadonlyMap<string, string>): string {
  const [, algorithm = '', hex = '', suffix = ''] = /^(sha256)-([0-9a-f]{64})(\..+)$/.exec(tag) ?? [];
  const digest = unlisted.get(`${algorithm}:${hex}`);
  return digest === undefined ? tag : `${digest.replace(':', '-')}${suffix}`;
}

/** `VERSION-metadata` beside the chart, and the signature of it. */
async function listChartMetadataTags(
  recorded: RecordedRegistry,
  { folder }: GoldenCase,
  { chartMetadataOf }: PushDifference,
): Promise<ExpectedTags> {
  if (chartMetadataOf === undefined) return new Map();
  const files = await readArchiveFiles(join(folder, 'input', chartMetadataOf));
  const [metadata, signature] = ['', '.sig'].map((suffix) =>
    readLayoutDigest(files.get(`${CHART_METADATA_LAYOUT}${suffix}/index.json`)),
  );
  assert.ok(metadata !== undefined && signature !== undefined);
  const chart = [...listExpectedTags(recorded)].find(([, digest]) => digest === undefined)?.[0] ?? '';
  const [repository] = splitTag(chart);
  return new Map([
    [`${chart}-metadata`, metadata],
    [`${repository}:${metadata.replace(':', '-')}.sig`, signature],
  ]);
}

function readLayoutDigest(bytes: Buffer | undefined): string | undefined {
  return (JSON.parse(bytes?.toString() ?? '{}') as { manifests?: { digest: string }[] }).manifests?.[0]?.digest;
}

/** Everything that a tag or digest needs is in the target. */
export async function requireComplete(host: string, repository: string, tagOrDigest: string): Promise<void> {
  const stored = await readStoredManifest(host, repository, tagOrDigest);
  assert.ok(stored !== undefined, `${repository} has no ${tagOrDigest}`);
  const { config, layers = [], manifests = [] } = stored.manifest;
  for (const { digest } of manifests) await requireComplete(host, repository, digest);
  for (const { digest } of config === undefined ? layers : [config, ...layers]) {
    await readStoredBlob(host, repository, digest);
  }
}

async function compareChart(host: string, repository: string, tag: string, goldenCase: GoldenCase): Promise<void> {
  const { files, config } = await readStoredChart(host, repository, tag);
  const output = join(goldenCase.folder, 'output');
  if (!readdirSync(output).includes('pushed-chart')) return;
  const expected = readFolder(join(output, 'pushed-chart', repository.split('/').at(-1) ?? ''));
  const toText = ([name, bytes]: readonly [string, Buffer]): [string, string] => [name, withoutStyle(bytes.toString())];
  const sortByName = (left: readonly [string, unknown], right: readonly [string, unknown]): number =>
    left[0] < right[0] ? -1 : 1;
  assert.deepEqual([...files].map(toText).sort(sortByName), [...expected].map(toText).sort(sortByName));
  assert.deepEqual(config, JSON.parse(readFileSync(join(output, 'pushed-chart.config.json'), 'utf8')));
}

/** We keep blank lines and the space before comments, which the Go tool loses. */
function withoutStyle(text: string): string {
  return text.replace(/^\n/gm, '').replace(/ +#/g, ' #');
}

export function hasRecordedRegistry({ folder }: GoldenCase): boolean {
  return existsSync(join(folder, 'output/registry-5102.json'));
}

function readRecorded({ folder }: GoldenCase): RecordedRegistry {
  return JSON.parse(readFileSync(join(folder, 'output/registry-5102.json'), 'utf8')) as RecordedRegistry;
}

function splitTag(name: string): [repository: string, tag: string] {
  const colon = name.lastIndexOf(':');
  return [name.slice(0, colon), name.slice(colon + 1)];
}

function readFolder(folder: string): Map<string, Buffer> {
  return new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path): [string, Buffer] => [path.slice(folder.length + 1), readFileSync(path)]),
  );
}

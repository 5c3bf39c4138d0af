import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readArchive, readArchiveFiles } from '../support/archives.ts';
import { withoutGenerationTime } from '../support/golden.ts';
import { compareBundleMetadata } from './compare-carvel.ts';

/** How a wrap of ours differs from the recorded one. */
export interface WrapContentDifference {
  /** Recorded entries that we do not write. */
  readonly omitted?: RegExp;
  /** What the Go tool has below `artifacts/` by names, we have as layouts by digest. */
  readonly artifactsAsLayouts?: boolean;
  /** Our top folder where it is another. */
  readonly topFolder?: string;
}

interface OwnDocument {
  readonly charts: readonly { readonly attached?: readonly { readonly digest: string }[] }[];
  readonly images: readonly { readonly digest?: string; readonly attached?: readonly { readonly digest: string }[] }[];
}

type Files = ReadonlyMap<string, Buffer>;

/** With `--platforms` our lock says what was left out; the Go tool ignores these lines. */
const PLATFORM_LINES = /^ +(?:- )?(?:indexDigest|variant): .*\n/gm;
/** What only our wraps hold: their documents, and the chart as it came. */
const OWN_ENTRY = /^(?:\.dt\/|artifacts\/chart\/[^/]+$)/;
const GO_ARTIFACT = /^artifacts\//;

/** Checks the content of a wrap of ours against one of the Go tool. */
export async function compareWraps(
  own: string,
  recorded: string,
  difference: WrapContentDifference = {},
): Promise<void> {
  assert.ok(existsSync(own), `${own} was not written`);
  compareFiles(await readArchiveFiles(own), await readArchiveFiles(recorded), difference);
  const [topFolders, recordedFolders] = [await readTopFolders(own), await readTopFolders(recorded)];
  assert.deepEqual(topFolders, difference.topFolder === undefined ? recordedFolders : [difference.topFolder]);
  assert.deepEqual(await readChartModes(own), await readChartModes(recorded, difference.omitted));
}

/** The same for files by their path below the top folder. */
export function compareFiles(actual: Files, expected: Files, difference: WrapContentDifference = {}): void {
  const { omitted, artifactsAsLayouts = false } = difference;
  for (const [name, bytes] of expected) {
    if (omitted?.test(name) === true) {
      assert.ok(!actual.has(name), `${name} is written: take it out of the table`);
      continue;
    }
    if (artifactsAsLayouts && GO_ARTIFACT.test(name)) continue;
    const found = actual.get(name);
    assert.ok(found !== undefined, `${name} is missing`);
    compareFile(name, found, bytes);
  }
  const document = JSON.parse(actual.get('.dt/wrap.json')?.toString() ?? '') as OwnDocument;
  compareArtifacts(actual, expected, document);
  const ownLayouts = readOwnLayouts(actual, document);
  const additional = [...actual.keys()].filter((name) => !expected.has(name) && !OWN_ENTRY.test(name));
  for (const name of additional) {
    assert.ok(
      name.split('/').some((part) => ownLayouts.has(part)),
      `${name} is neither in the recorded wrap nor part of the layout of an index or artifact`,
    );
  }
}

function compareFile(name: string, found: Buffer, bytes: Buffer): void {
  if (name === 'chart/Images.lock' || name === 'Images.lock') {
    assert.equal(comparableLock(found), comparableLock(bytes));
  } else if (name.endsWith('/index.json') || name.endsWith('/oci-layout')) {
    assert.deepEqual(JSON.parse(found.toString()), JSON.parse(bytes.toString()), name);
  } else if (name === 'chart/.imgpkg/bundle.yml') compareBundleMetadata(found, bytes);
  else assert.ok(found.equals(bytes), `${name} has other content`);
}

/** Every artifact of the recorded wrap is a layout in ours, byte for byte, and listed; nothing else is listed. */
function compareArtifacts(actual: Files, expected: Files, { charts, images }: OwnDocument): void {
  const recorded = new Set<string>();
  for (const [name, bytes] of expected) {
    const [, folder] = /^(artifacts\/.*)\/index\.json$/.exec(name) ?? [];
    if (folder === undefined) continue;
    const digest = readLayoutRoot(bytes)?.digest ?? '';
    recorded.add(digest);
    const place = `${folder.startsWith('artifacts/chart/') ? 'artifacts/chart' : 'images'}/${toLayout(digest)}`;
    for (const [part, content] of expected) {
      if (!part.startsWith(`${folder}/`)) continue;
      const found = actual.get(place + part.slice(folder.length));
      assert.ok(found !== undefined, `${part} is not in ${place}`);
      compareFile(part, found, content);
    }
  }
  const listed = [...charts, ...images].flatMap(({ attached = [] }) => attached.map(({ digest }) => digest));
  assert.deepEqual([...new Set(listed)].sort(), [...recorded].sort());
}

function comparableLock(bytes: Buffer): string {
  return withoutGenerationTime(bytes.toString()).replace(PLATFORM_LINES, '');
}

/** Names of the layouts whose root is an index or an attached artifact, as `.dt/wrap.json` and the layouts themselves say. */
function readOwnLayouts(files: Files, { charts, images }: OwnDocument): Set<string> {
  const attached = [...charts, ...images].flatMap((item) =>
    (item.attached ?? []).map(({ digest }) => toLayout(digest)),
  );
  const roots = images.flatMap(({ digest }) => (digest === undefined ? [] : [toLayout(digest)]));
  for (const layout of roots) assert.ok(files.has(`images/${layout}/index.json`), `${layout} is missing`);
  const indexes = roots.filter((layout) =>
    /index|manifest\.list/.test(readLayoutRoot(files.get(`images/${layout}/index.json`))?.mediaType ?? ''),
  );
  return new Set([...attached, ...indexes]);
}

function readLayoutRoot(bytes: Buffer | undefined): { mediaType: string; digest: string } | undefined {
  const { manifests } = JSON.parse(bytes?.toString() ?? '{}') as {
    manifests?: { mediaType: string; digest: string }[];
  };
  return manifests?.[0];
}

function toLayout(digest: string): string {
  return `${digest.replace('sha256:', '')}.layout`;
}

async function readTopFolders(path: string): Promise<string[]> {
  return [...new Set((await readArchive(path)).map(({ name }) => name.split('/')[0] ?? ''))];
}

/** Modes of the files and folders of the chart; the lock is the tool's own. */
async function readChartModes(path: string, omitted?: RegExp): Promise<Map<string, string>> {
  const entries = (await readArchive(path)).map((entry) => ({
    ...entry,
    inner: entry.name.split('/').slice(1).join('/'),
  }));
  return new Map(
    entries
      .filter(({ inner }) => /^chart\//.test(inner) && inner !== 'chart/Images.lock')
      .filter(({ inner }) => omitted?.test(inner) !== true && omitted?.test(`${inner}/`) !== true)
      .map(({ inner, type, mode }): [string, string] => [inner, `${type} ${mode.toString(8)}`])
      .sort(([left], [right]) => (left < right ? -1 : 1)),
  );
}

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readArchive, readArchiveFiles } from '../support/archives.ts';
import { listGoldenCases, withoutGenerationTime } from '../support/golden.ts';
import { recordedFiles, runSteps, type Replay, type StepOptions } from './replay-frame.ts';

interface WrapDifference extends StepOptions {
  /** Why we differ. */
  readonly reason: string;
  /** Recorded entries that we do not write. */
  readonly omitted?: RegExp;
  /** Run again with these arguments added, and compare that. */
  readonly retryWith?: readonly string[];
}

const ARTIFACTS = /^artifacts\//;

/** Where we differ from the recorded wraps on purpose. */
export const WRAP_DIFFERENCES: Readonly<Record<string, WrapDifference>> = {
  'dt-wrap/carvel-bundle': {
    reason: '--add-carvel-bundle comes with the Carvel commands',
    without: ['--add-carvel-bundle'],
    omitted: /^chart\/\.imgpkg\//,
  },
  'dt-wrap/local-chart-with-artifacts': {
    reason: '--fetch-artifacts comes with the signatures',
    without: ['--fetch-artifacts'],
    omitted: ARTIFACTS,
  },
  'dt-wrap/remote-chart-with-artifacts': {
    reason: '--fetch-artifacts comes with the signatures',
    without: ['--fetch-artifacts'],
    omitted: ARTIFACTS,
  },
  'dt-wrap/no-images': {
    reason: 'a chart without images is more often a mistake than a wish: it needs --allow-empty',
    otherExit: { 0: 'DT_CHART_NO_IMAGES' },
    retryWith: ['--allow-empty'],
  },
  'dt-wrap/remote-versions': {
    reason: 'plain HTTP is automatic for loopback, for charts as for images',
    otherExit: { 7: 'loopback' },
  },
};

/** With `--platforms` our lock says what was left out; the Go tool ignores these lines. */
const PLATFORM_LINES = /^ +(?:- )?(?:indexDigest|variant): .*\n/gm;
/** What only our wraps hold. */
const OWN_ENTRY = /^\.dt\//;

/** `wrap`: below `chart/` and in the layouts of platforms lies what the Go tool puts there. */
export function replayWrapCases(replay: Replay): void {
  for (const path of listGoldenCases('dt-wrap')) {
    replay(path, async (context) => {
      const { goldenCase, sandbox } = context;
      const difference = WRAP_DIFFERENCES[path];
      const before = await readdir(sandbox.work);
      await runSteps(context, difference);
      if (difference?.retryWith !== undefined) {
        const [step] = goldenCase.steps;
        await sandbox.runOk([...(step?.argv ?? []).slice(1), ...difference.retryWith]);
      }
      const written = (await readdir(sandbox.work)).filter((name) => !before.includes(name));
      const recorded = new Set(recordedFiles(goldenCase).map((file) => file.split('/')[0] ?? ''));
      assert.deepEqual(new Set(written), recorded, 'other files than recorded');
      for (const file of recordedFiles(goldenCase)) {
        await compareWraps(join(sandbox.work, file), join(goldenCase.folder, 'output', file), difference?.omitted);
      }
    });
  }
}

/** Checks the content of a wrap of ours against one of the Go tool. */
export async function compareWraps(own: string, recorded: string, omitted?: RegExp): Promise<void> {
  assert.ok(existsSync(own), `${own} was not written`);
  const actual = await readArchiveFiles(own);
  const expected = await readArchiveFiles(recorded);
  for (const [name, bytes] of expected) {
    if (omitted?.test(name) === true) {
      assert.ok(!actual.has(name), `${name} is written: take it out of the table`);
      continue;
    }
    const found = actual.get(name);
    assert.ok(found !== undefined, `${name} is missing`);
    if (name === 'chart/Images.lock') assert.equal(comparableLock(found), comparableLock(bytes));
    else if (name.endsWith('/index.json') || name.endsWith('/oci-layout')) {
      assert.deepEqual(JSON.parse(found.toString()), JSON.parse(bytes.toString()), name);
    } else assert.ok(found.equals(bytes), `${name} has other content`);
  }
  const indexLayouts = readIndexLayouts(actual);
  const additional = [...actual.keys()].filter((name) => !expected.has(name) && !OWN_ENTRY.test(name));
  for (const name of additional) {
    assert.ok(
      indexLayouts.has(name.split('/')[1] ?? ''),
      `${name} is neither in the recorded wrap nor part of an index layout`,
    );
  }
  assert.deepEqual(await readChartModes(own), await readChartModes(recorded, omitted));
}

function comparableLock(bytes: Buffer): string {
  return withoutGenerationTime(bytes.toString()).replace(PLATFORM_LINES, '');
}

/** Names of the layouts whose root is an index, as `.dt/wrap.json` and the layouts themselves say. */
function readIndexLayouts(files: ReadonlyMap<string, Buffer>): Set<string> {
  const document = JSON.parse(files.get('.dt/wrap.json')?.toString() ?? '{}') as { images: { digest?: string }[] };
  const layouts = document.images.flatMap(({ digest }) =>
    digest === undefined ? [] : [`${digest.replace('sha256:', '')}.layout`],
  );
  return new Set(
    layouts.filter((layout) => {
      const index = JSON.parse(files.get(`images/${layout}/index.json`)?.toString() ?? '{}') as {
        manifests?: { mediaType: string }[];
      };
      return /index|manifest\.list/.test(index.manifests?.[0]?.mediaType ?? '');
    }),
  );
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

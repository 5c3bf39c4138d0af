import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MEDIA_TYPE_HELM_CONFIG } from '../../src/domain/oci/media-types.ts';
import { GOLDEN_ROOT, listGoldenCases, type GoldenCase } from '../support/golden.ts';
import { listTags, readStoredChart, readStoredManifest } from '../support/registry-content.ts';
import type { TestContext } from 'node:test';
import { parseImagesLock } from '../../src/domain/lock/parse-lock.ts';
import { readArchiveFiles } from '../support/archives.ts';
import { createSandbox } from '../support/sandbox.ts';
import { runSteps, startTarget, type Replay, type StepOptions } from './replay-frame.ts';

interface RecordedManifest {
  readonly digest: string;
  readonly manifest: {
    readonly config?: { readonly mediaType: string };
    readonly manifests?: readonly { readonly digest: string }[];
  };
}

type RecordedRegistry = Readonly<Record<string, Readonly<Record<string, RecordedManifest>>>>;

interface UnwrapDifference extends StepOptions {
  /** Why we differ. */
  readonly reason: string;
  /** Recorded tags that we do not push. */
  readonly omittedTags?: RegExp;
  /** Files of the recorded chart that are not compared. */
  readonly omittedFiles?: RegExp;
  /** Nothing at all is pushed. */
  readonly pushesNothing?: boolean;
}

/** Where we differ from the recorded pushes on purpose. */
export const UNWRAP_DIFFERENCES: Readonly<Record<string, UnwrapDifference>> = {
  'dt-unwrap/artifacts': {
    reason: 'signatures and metadata come with --fetch-artifacts; until then unwrap warns that they stay behind',
    omittedTags: /\.sig$|metadata$/,
  },
  'dt-unwrap/carvel-bundle': {
    reason: 'the files of a Carvel bundle are relocated by the Carvel commands',
    omittedFiles: /^\.imgpkg\//,
  },
  'dt-unwrap/skip-image-relocation-and-pull': {
    reason: '--skip-image-relocation comes with charts relocate',
    otherExit: { 0: 'unknown flag' },
    pushesNothing: true,
  },
  'dt-unwrap/unpacked-folder': {
    reason: 'only files are unwrapped so far, and a folder would be changed in place',
    otherExit: { 0: 'not a file' },
    pushesNothing: true,
  },
  'dt-unwrap/errors-registry': {
    reason: 'plain HTTP is automatic for loopback, for charts as for images',
    otherExit: { 3: 'loopback' },
  },
};

/** `unwrap` of wraps that the Go tool made: same places, same manifests, same chart. */
export function replayUnwrapCases(replay: Replay): void {
  for (const path of listGoldenCases('dt-unwrap')) {
    replay(path, async (context) => {
      const { goldenCase, t } = context;
      const target = await startTarget(t);
      const difference = UNWRAP_DIFFERENCES[path];
      await runSteps(context, difference);
      if (difference?.pushesNothing === true) assert.deepEqual(target.requests.filter(isWrite), []);
      else if (readdirSync(goldenCase.folder).includes('output'))
        await compareRegistry(target.host, goldenCase, difference);
      else if (path === 'dt-unwrap/errors-corrupt')
        assert.deepEqual(target.requests, [], 'a damaged wrap reached the registry');
    });
  }
}

export function isWrite(request: string): boolean {
  return /^(?:POST|PUT|PATCH) /.test(request);
}

/** Checks what the target holds against what the Go tool pushed from the same wrap. */
async function compareRegistry(
  host: string,
  goldenCase: GoldenCase,
  difference: UnwrapDifference | undefined,
): Promise<void> {
  const recorded = readRecorded(goldenCase);
  const expectedTags: string[] = [];
  for (const [repository, tags] of Object.entries(recorded)) {
    for (const [tag, { digest, manifest }] of Object.entries(tags)) {
      if (difference?.omittedTags?.test(tag) === true) continue;
      expectedTags.push(`${repository}:${tag}`);
      if (manifest.config?.mediaType === MEDIA_TYPE_HELM_CONFIG) {
        await compareChart(host, repository, tag, goldenCase, difference?.omittedFiles);
        continue;
      }
      const stored = await readStoredManifest(host, repository, tag);
      const [only, ...others] = manifest.manifests ?? [];
      // The Go tool puts a list around every image; we leave a single manifest what it was at its source.
      const expected = only !== undefined && others.length === 0 ? only.digest : digest;
      assert.equal(stored?.digest, expected, `${repository}:${tag}`);
    }
  }
  assert.deepEqual([...(await listTags(host)).keys()].sort(), expectedTags.sort());
}

async function compareChart(
  host: string,
  repository: string,
  tag: string,
  goldenCase: GoldenCase,
  omitted?: RegExp,
): Promise<void> {
  const { files, config } = await readStoredChart(host, repository, tag);
  const output = join(goldenCase.folder, 'output');
  if (!readdirSync(output).includes('pushed-chart')) return;
  const expected = readFolder(join(output, 'pushed-chart', repository.split('/').at(-1) ?? ''));
  const isCompared = ([name]: readonly [string, unknown]): boolean => omitted?.test(name) !== true;
  const toText = ([name, bytes]: readonly [string, Buffer]): [string, string] => [name, withoutStyle(bytes.toString())];
  const sortByName = (left: readonly [string, unknown], right: readonly [string, unknown]): number =>
    left[0] < right[0] ? -1 : 1;
  assert.deepEqual(
    [...files].filter(isCompared).map(toText).sort(sortByName),
    [...expected].filter(isCompared).map(toText).sort(sortByName),
  );
  assert.deepEqual(config, JSON.parse(readFileSync(join(output, 'pushed-chart.config.json'), 'utf8')));
}

/** We keep blank lines and the space before comments, which the Go tool loses. */
function withoutStyle(text: string): string {
  return text.replace(/^\n/gm, '').replace(/ +#/g, ' #');
}

function readRecorded({ folder }: GoldenCase): RecordedRegistry {
  return JSON.parse(readFileSync(join(folder, 'output/registry-5102.json'), 'utf8')) as RecordedRegistry;
}

function readFolder(folder: string): Map<string, Buffer> {
  return new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path): [string, Buffer] => [path.slice(folder.length + 1), readFileSync(path)]),
  );
}

/** Every file below the golden folder that is a chart wrap which the Go tool wrote, whole. */
export function listGoldenWraps(): string[] {
  return ['dt-wrap', 'dt-unwrap', 'dt-info']
    .flatMap((area) => readdirSync(join(GOLDEN_ROOT, area), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name.endsWith('.tgz') && !/errors/.test(entry.parentPath))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes('chart-archive/input'))
    .sort();
}

/**
 * Unwraps what the Go tool wrote. Every platform manifest of its lock is in the target; an image with several of them has
 * a list of exactly these, a single one stands for itself.
 */
export async function unwrapRecordedWrap(t: TestContext, path: string): Promise<void> {
  const sandbox = await createSandbox(t);
  const target = await startTarget(t);
  const lockText = (await readArchiveFiles(path)).get('chart/Images.lock')?.toString() ?? '';
  const { images } = parseImagesLock(lockText, path);
  const hasContent = [...(await readArchiveFiles(path)).keys()].some((name) => name.startsWith('images/'));
  const flags = ['--yes', ...(hasContent || images.length === 0 ? [] : ['--skip-pull-images'])];
  await sandbox.runOk(['unwrap', path, `${target.host}/m`, ...flags]);
  for (const { image, digests } of hasContent ? images : []) {
    const [repository, tag] = image.slice(image.indexOf('/') + 1).split(':') as [string, string];
    const stored = await readStoredManifest(target.host, `m/${repository}`, tag);
    const expected = digests.map(({ digest }) => digest);
    assert.deepEqual(stored?.manifest.manifests?.map(({ digest }) => digest) ?? [stored?.digest], expected);
    for (const digest of expected)
      assert.ok((await readStoredManifest(target.host, `m/${repository}`, digest)) !== undefined);
  }
}

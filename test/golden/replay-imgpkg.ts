import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GOLDEN_PORTS, goldenArguments, listGoldenCases, recordedOutput, type GoldenStep } from '../support/golden.ts';
import { listTags, readStoredManifest } from '../support/registry-content.ts';
import type { RunCliResult } from '../support/run-cli.ts';
import { compareBundleRegistry, type BundleDifference } from './compare-bundles.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { recordedFiles, startTarget, type Replay, type ReplayContext } from './replay-frame.ts';

const TARGET = `127.0.0.1:${String(GOLDEN_PORTS.target)}`;

/** Where we differ from imgpkg on purpose, by case and step. */
export const IMGPKG_DIFFERENCES: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  'imgpkg/describe': { 7: 'ours has -o json' },
  'imgpkg/errors': { 20: 'a group without a command shows its help, as all of ours', 21: 'the same' },
  'imgpkg/push-errors': { 5: 'imgpkg pushes a bundle whose lock nothing can read later; ours checks it' },
};

/** Images that differ from the recorded ones in more than the compression of their layer, and why. */
const IMAGE_DIFFERENCES: Readonly<Record<string, Readonly<Record<string, BundleDifference>>>> = {
  'imgpkg/push-rules': {
    'rules/two:1': {
      reason: 'exclusions come beside .git, and do not replace it',
      withoutEntries: ['.git', '.git/config'],
    },
    'rules/three:1': {
      reason: 'the modes of folders have no bits outside of the permissions',
      ignoresFolderModes: true,
    },
  },
  'imgpkg/signatures-and-special-images': {
    'sig/without': {
      reason: 'everything that is attached goes along by default; --no-referrers leaves it out',
      moreTags: [
        'sha256-1957a9b70979934c3131044fea7b578b0428a9b8c8025eb1d085599608f2c7f5.imgpkg',
        'sha256-31aba5e39eaa36dad8932eff321ed5edd42525c0e8ddcfc22da4fc805ca70b5a.metadata',
        'sha256-31aba5e39eaa36dad8932eff321ed5edd42525c0e8ddcfc22da4fc805ca70b5a.sig',
        'sha256-6e78d1b08b34ed2fda0e10004b366dabc5a2641db52700f824ddb7265b0faa3b.imgpkg',
        'sha256-8a30f4d93b0903ddb76fd51e8e892268416fdb648651c4c8cfa46ff047862f82.imgpkg',
        'sha256-8a30f4d93b0903ddb76fd51e8e892268416fdb648651c4c8cfa46ff047862f82.sig',
      ],
    },
  },
};

/** The tars, locks and folders are the recorded ones byte for byte; registries as `compareBundleRegistry` says. */
export function replayImgpkgCases(replay: Replay): void {
  for (const path of listGoldenCases('imgpkg')) {
    replay(path, async (context) => {
      await startTarget(context.t);
      if (path === 'imgpkg/push-errors') await restoreLink(context);
      for (const [index, step] of context.goldenCase.steps.entries()) {
        await replayStep(context, step, index);
        assert.deepEqual(await context.sandbox.listTemporary(), [], `step ${String(index)} left temporary files`);
      }
      for (const file of recordedFiles(context.goldenCase)) await compareFile(context, file);
      if (existsSync(recordedOutput(context.goldenCase, 'registry-5102.json'))) {
        await compareBundleRegistry(TARGET, context.goldenCase, IMAGE_DIFFERENCES[path] ?? {});
      }
    });
  }
}

/** The checkout of the golden data has a file with its target in place of the link. */
async function restoreLink({ sandbox }: ReplayContext): Promise<void> {
  const link = join(sandbox.work, 'lnk/l');
  const target = await readFile(link, 'utf8');
  await rm(link);
  await symlink(target.trim(), link);
}

async function replayStep(context: ReplayContext, step: GoldenStep, index: number): Promise<void> {
  const { goldenCase, sandbox } = context;
  if (step.argv === undefined) {
    await mkdir(join(sandbox.work, 'd/.git'), { recursive: true });
    await writeFile(join(sandbox.work, 'd/.git/config'), '[core]\n');
    return;
  }
  const differs = IMGPKG_DIFFERENCES[goldenCase.path]?.[index] !== undefined;
  const result = await runStep(context, step);
  const fails = differs ? step.exit === 0 : step.exit !== 0;
  const expected = fails ? EXIT_CODES[goldenCase.path]?.[index] : 0;
  assert.equal(
    result.code,
    expected,
    `step ${String(index)}: ${step.argv.join(' ')}\n${result.stdout}${result.stderr}`,
  );
  if (!differs && step.exit === 0) await compareOutput(context, step, index, result);
}

async function runStep({ sandbox }: ReplayContext, step: GoldenStep): Promise<RunCliResult> {
  const [tool] = step.argv ?? [];
  const args = goldenArguments(step, sandbox).filter((argument) => argument !== '--tty');
  if (tool === 'kbld') return sandbox.run(['manifests', 'resolve', '--sort', ...args]);
  if (args.length === 0 || args[0] === 'nosuch') return sandbox.run(['bundle']);
  return sandbox.run(['bundle', ...args]);
}

/** What these commands print is their result. The lists of places, which we compress ourselves, have other digests. */
async function compareOutput(
  { goldenCase }: ReplayContext,
  step: GoldenStep,
  index: number,
  { stdout }: RunCliResult,
): Promise<void> {
  const [tool, command] = step.argv ?? [];
  if (tool === 'kbld') assert.equal(stdout, step.stdout);
  if (command !== 'tag' && command !== 'describe') return;
  const ours = await listLocationsDigests();
  const own = listLines(stdout.replaceAll(HEX_PATTERN, (hex) => (ours.has(hex) ? 'OURS' : hex)));
  const recorded = listLines(step.stdout.replaceAll(HEX_PATTERN, (hex) => (stdout.includes(hex) ? hex : 'OURS')));
  if (goldenCase.path === 'imgpkg/describe' && index === DESCRIBES_MORE_STEP) {
    assert.ok(own.some((line) => line.includes('imageType: Attached')));
    assert.deepEqual(
      recorded.filter((line) => !own.includes(line)),
      [],
    );
  } else assert.deepEqual(own.sort(), recorded.sort());
}

/** Of `imgpkg/describe`: we also show what else is attached to an image than signatures, as we copy it. */
const DESCRIBES_MORE_STEP = 5;
const HEX_PATTERN = /[0-9a-f]{64}/g;

function listLines(text: string): string[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd().replace(/(?<=\S)\s+(?=sha256:)/, ' '));
}

/** The digests of the lists of places in the target, and of their layers. */
async function listLocationsDigests(): Promise<ReadonlySet<string>> {
  const digests = new Set<string>();
  for (const [name, digest] of await listTags(TARGET)) {
    if (!name.endsWith('.image-locations.imgpkg')) continue;
    const stored = await readStoredManifest(TARGET, name.slice(0, name.lastIndexOf(':')), digest);
    for (const found of [digest, ...(stored?.manifest.layers ?? []).map((layer) => layer.digest)]) {
      digests.add(found.slice('sha256:'.length));
    }
  }
  return digests;
}

async function compareFile({ goldenCase, sandbox }: ReplayContext, name: string): Promise<void> {
  const recorded = recordedOutput(goldenCase, name);
  if (!existsSync(recorded)) return;
  const own = join(sandbox.work, name);
  const [bytes, recordedBytes, { mode }] = await Promise.all([readFile(own), readFile(recorded), stat(own)]);
  const isText = !name.endsWith('.tar');
  if (isText) assert.equal(bytes.toString(), recordedBytes.toString(), name);
  else assert.ok(bytes.equals(recordedBytes), `${name} has other bytes`);
  const recordedMode = (goldenCase.outputs?.[name] as { readonly mode?: string } | undefined)?.mode;
  if (recordedMode !== undefined) assert.equal(`0o${(mode & 0o777).toString(8)}`, recordedMode, name);
}

import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readCarvelLock } from '../support/carvel-lock.ts';
import {
  goldenArguments,
  listGoldenCases,
  loadGoldenCase,
  recordedOutput,
  type GoldenStep,
} from '../support/golden.ts';
import type { RunCliResult } from '../support/run-cli.ts';
import { compareBundles } from './compare-carvel.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { recordedFiles, startTarget, type Replay, type ReplayContext } from './replay-frame.ts';

/** What is compared in another way than byte for byte, by case and step, and why. */
export const KBLD_DIFFERENCES: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  'kbld/errors': {
    7: 'kbld writes an annotation "null" for an image with tag and digest; ours leaves it out',
    11: 'without manifests kbld does nothing; ours asks for -f',
  },
  'kbld/fields': { 3: 'inspect: the same facts are in the document of --unresolved-inspect --json' },
  'kbld/relocate-package-unpackage': {
    0: 'relocate is deprecated in favour of imgpkg copy: "bundle copy"',
    1: 'package is deprecated in favour of imgpkg: "bundle copy --to-tar"',
    2: 'unpackage is deprecated in favour of imgpkg: "bundle copy --tar"',
    3: 'relocate again',
    4: 'relocate again',
    5: 'package again',
  },
  'kbld/resolve-with-kbld-lock': { 0: 'kbld cannot read back its own lock; ours does not ask for a version' },
  'kbld/resources-of-dt-chart': {
    2: 'ours are indexes with all platforms, so the copy has more images',
    3: 'the lock in the pulled folder names indexes',
  },
};

/** What an override of a case makes of an image: it has no digest, and no registry has it. */
const NOWHERE = 'some.where/else:9';

/** `manifests resolve --sort` prints what kbld printed, byte for byte; without `--sort` it says the same. */
export function replayKbldCases(replay: Replay): void {
  for (const path of listGoldenCases('kbld')) {
    replay(path, async (context) => {
      for (const [index, step] of context.goldenCase.steps.entries()) {
        const special = SPECIAL_STEPS[`${path} ${String(index)}`];
        if (special !== undefined) await special(context, step);
        else if (KBLD_DIFFERENCES[path]?.[index] === undefined) await replayStep(context, step, index);
        assert.deepEqual(await context.sandbox.listTemporary(), []);
      }
      for (const file of recordedFiles(context.goldenCase)) await compareLock(context, file);
    });
  }
}

const SPECIAL_STEPS: Readonly<Record<string, (context: ReplayContext, step: GoldenStep) => Promise<void>>> = {
  'kbld/errors 7': async (context, step) => {
    const { stdout } = await resolve(context, step, '--sort');
    assert.equal(stdout, step.stdout.slice(0, step.stdout.indexOf('metadata:')));
  },
  'kbld/errors 11': async (context, step) => {
    assert.equal((await resolve(context, step)).code, 2);
  },
  'kbld/fields 3': async ({ sandbox }, step) => {
    const document = JSON.parse(
      await sandbox.runOk(['manifests', 'resolve', '-f', 'k', '--unresolved-inspect', '--json']),
    ) as { readonly images: readonly { readonly reference: string; readonly places: readonly Place[] }[] };
    const own = document.images.flatMap(({ reference, places }) =>
      places.map(({ kind, name }) => `${reference} ${kind.toLowerCase()}/${name}`),
    );
    const recorded = [...step.stdout.matchAll(/^(\S*image\S*|127\S+)\s*\n-\s*\n(\S+)/gm)].map(
      ([, image, place]) => `${String(image)} ${String(place)}`,
    );
    assert.equal(recorded.length, 8);
    assert.deepEqual(own.sort(), recorded.sort());
  },
  'kbld/resolve-with-kbld-lock 0': async (context, step) => {
    const working = loadGoldenCase('kbld/resolve-with-kbld-lock-no-version').steps[0];
    assert.equal((await resolve(context, step, '--sort')).stdout, working?.stdout);
  },
  'kbld/resources-of-dt-chart 0': async ({ goldenCase, sandbox }, step) => {
    await sandbox.runOk(goldenArguments(step, sandbox));
    await compareBundles(join(sandbox.work, 'c'), recordedOutput(goldenCase, 'c'));
  },
  'kbld/resources-of-dt-chart 1': async (context, step) => {
    await startTarget(context.t);
    await runBundle(context, step);
  },
  'kbld/resources-of-dt-chart 2': runBundle,
  'kbld/resources-of-dt-chart 3': async (context, step) => {
    await runBundle(context, step);
    const { goldenCase, sandbox } = context;
    const places = recordedFiles(goldenCase).filter((file) => file.startsWith('out/') && file !== PULLED_LOCK);
    assert.ok(places.length > 3);
    for (const file of places) {
      const [own, pushed] = await Promise.all(
        [file, file.replace(/^out/, 'c')].map((path) => readFile(join(sandbox.work, path))),
      );
      assert.deepEqual(own, pushed, file);
    }
    const [locked, pulled, recorded] = await Promise.all(
      [
        readFile(join(sandbox.work, 'c/.imgpkg/images.yml')),
        readFile(join(sandbox.work, PULLED_LOCK)),
        readFile(recordedOutput(goldenCase, PULLED_LOCK)),
      ].map(async (bytes) => readCarvelLock(await bytes)),
    );
    const repository = recorded?.[0]?.image.split('@')[0] ?? '';
    assert.deepEqual(
      pulled?.map(({ image, annotations }) => [image, annotations]),
      locked?.map(({ reference, annotations }) => [`${repository}@${String(reference.digest)}`, annotations]),
    );
    assert.deepEqual(
      pulled?.map(({ annotations }) => annotations),
      recorded?.map(({ annotations }) => annotations),
    );
  },
};

const PULLED_LOCK = 'out/.imgpkg/images.yml';

/** `--tty` asks imgpkg to tell what it does. */
async function runBundle({ sandbox }: ReplayContext, step: GoldenStep): Promise<void> {
  await sandbox.runOk(['bundle', ...goldenArguments(step, sandbox).filter((argument) => argument !== '--tty')]);
}

interface Place {
  readonly kind: string;
  readonly name: string;
}

async function replayStep(context: ReplayContext, step: GoldenStep, index: number): Promise<void> {
  const { goldenCase, sandbox } = context;
  const sorted = await resolve(context, step, '--sort');
  const expected = step.exit === 0 ? 0 : EXIT_CODES[goldenCase.path]?.[index];
  assert.equal(sorted.code, expected, `step ${String(index)}: ${sorted.stdout}${sorted.stderr}`);
  assert.equal(sorted.stdout, step.stdout);
  for (const [, change = ''] of step.stderr.matchAll(/^resolve \| final: (.+)$/gm)) {
    if (step.exit === 0) assert.ok(sorted.stderr.includes(change), change);
  }
  if (step.exit !== 0 || !step.stdout.startsWith('---')) return;
  const kept = await resolve(context, step);
  assert.equal(kept.code, 0, kept.stderr);
  await writeFile(join(sandbox.work, 'known.json'), JSON.stringify({ [NOWHERE]: NOWHERE }));
  const flags = ['--sort', '--images-annotation=false', '--image-map-file', 'known.json'];
  const again = await sandbox.runOk(['manifests', 'resolve', '-f', '-', ...flags], { stdin: kept.stdout });
  // kbld prints a document in a text anew, too: where it is kept as written, it has no marker.
  assert.equal(again, step.stdout.replace('cfg: |\n    ---\n', 'cfg: |\n'));
}

async function resolve({ sandbox }: ReplayContext, step: GoldenStep, ...flags: string[]): Promise<RunCliResult> {
  const args = ['manifests', 'resolve', ...flags, ...goldenArguments(step, sandbox)];
  return sandbox.run(args, { stdin: step.stdin ?? '' });
}

/** The version of kbld that its lock asks for is none in ours. */
async function compareLock({ goldenCase, sandbox }: ReplayContext, file: string): Promise<void> {
  if (goldenCase.path === 'kbld/relocate-package-unpackage' || goldenCase.path === 'kbld/resources-of-dt-chart') return;
  const [own, recorded] = await Promise.all([
    readFile(join(sandbox.work, file), 'utf8'),
    readFile(recordedOutput(goldenCase, file), 'utf8'),
  ]);
  assert.equal(own, recorded.replace(/^minimumRequiredVersion: .*\n/m, ''));
  assert.equal((await stat(join(sandbox.work, file))).mode & 0o777, 0o600);
}

import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { listGoldenCases, recordedOutput } from '../support/golden.ts';
import { changedLines, correctRecorded, meaningOf } from '../support/recorded-relocation.ts';
import { readFolder } from '../support/relocation-fixtures.ts';
import { requireTool } from '../support/tools.ts';
import { recordedFiles, runSteps, type Replay, type StepOptions } from './replay-frame.ts';

interface RelocateDifference extends StepOptions {
  readonly reason: string;
  /** Files that we change and the Go tool does not, with the new texts. */
  readonly alsoChanges?: Readonly<Record<string, string>>;
}

/** Where we differ on purpose; style, modes and tags beside digests apart, which no case of ours may lose. */
export const RELOCATE_DIFFERENCES: Readonly<Record<string, RelocateDifference>> = {
  'dt-relocate/other-key-untouched': {
    reason: 'without --annotations-key every annotation that is known to list images is relocated, not "images" alone',
    alsoChanges: { 'c/Chart.yaml': 'image: acme.com/federal/a/image:1' },
  },
};

const IMAGE_LINE = /image:|registry:|repository:|images: "/;

/**
 * `charts relocate`: the files have the recorded meaning, proven by Helm; what the recording leaves alone keeps its bytes, and in
 * the others no line changes that names no image (defects `values-blank-lines-and-style-lost`, `lock-fields-lost`).
 */
export function replayRelocateCases(replay: Replay): void {
  for (const path of listGoldenCases('dt-relocate')) {
    replay(path, async (context) => {
      const { t, goldenCase, sandbox } = context;
      const helm = requireTool(t, 'helm3');
      if (helm === undefined) return;
      const before = readFolder(sandbox.work);
      const modes = await readModes(sandbox.work, before.keys());
      const difference = RELOCATE_DIFFERENCES[path];
      const results = await runSteps(context, { ...difference, env: { HELM_BIN: helm } });
      for (const { stdout } of results.filter(({ code }) => code === 0)) {
        assert.match(stdout, /Proof: \d+ images? moved in \d+ renderings?, nothing else differs$/m);
      }
      const after = readFolder(sandbox.work);
      assert.deepEqual([...after.keys()], [...before.keys()]);
      assert.deepEqual(await readModes(sandbox.work, after.keys()), modes);
      const recorded = new Set(recordedFiles(goldenCase));
      for (const [file, text] of after) {
        const changes = changedLines(before.get(file) ?? '', text);
        for (const [, line] of changes) assert.match(line, IMAGE_LINE);
        if (recorded.has(file)) {
          const expected = correctRecorded(path, file, await readFile(recordedOutput(goldenCase, file), 'utf8'));
          assert.deepEqual(meaningOf(text, file), meaningOf(expected, file), file);
        } else {
          const expected = difference?.alsoChanges?.[file];
          assert.deepEqual(
            changes.map(([, line]) => line.trim()),
            expected === undefined ? [] : [expected],
            file,
          );
        }
      }
    });
  }
}

async function readModes(folder: string, files: Iterable<string>): Promise<readonly number[]> {
  return Promise.all(Array.from(files, async (file) => (await stat(join(folder, file))).mode));
}

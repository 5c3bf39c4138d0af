import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readArchiveFiles } from '../support/archives.ts';
import { GOLDEN_PORTS, listGoldenCases, recordedOutput } from '../support/golden.ts';
import { listTags } from '../support/registry-content.ts';
import { compareRegistry, hasRecordedRegistry } from './compare-registry.ts';
import { recordedFiles, runSteps, startTarget, type Replay, type ReplayContext } from './replay-frame.ts';

/** The text of these files differs in blanks only. */
const LAYOUT_FILES = /\/(?:index\.json|oci-layout)$/;
const PACKED_LISTING = '.listing.json';

/** `images verify`, `pull` and `push`: the recorded layouts, byte for byte, and the recorded pushes. */
export function replayImagesCases(replay: Replay): void {
  for (const path of [...listGoldenCases('dt-images'), ...listGoldenCases('dt-verify')]) {
    replay(path, async (context) => {
      const target = await startTarget(context.t);
      await runSteps(context);
      for (const file of recordedFiles(context.goldenCase)) await compareFile(context, file);
      if (hasRecordedRegistry(context.goldenCase)) await comparePushes(context, target.host);
      else assert.deepEqual(target.requests, []);
    });
  }
}

/** Our layouts give the digests of the source, which the Go tool loses; those of the Go tool give what it pushes itself. */
async function comparePushes({ goldenCase, sandbox }: ReplayContext, host: string): Promise<void> {
  const sources = await listTags(`127.0.0.1:${String(GOLDEN_PORTS.source)}`);
  const pushed = await listTags(host);
  assert.ok(pushed.size > 0);
  for (const [name, digest] of pushed) assert.equal(digest, sources.get(name.slice(name.indexOf('/') + 1)), name);
  const images = join(sandbox.work, 'c/images');
  await rm(images, { recursive: true });
  await cp(recordedOutput(goldenCase, 'c/images'), images, { recursive: true });
  await sandbox.runOk(['images', 'push', 'c']);
  await compareRegistry(host, goldenCase);
}

async function compareFile({ goldenCase, sandbox }: ReplayContext, file: string): Promise<void> {
  const own = join(sandbox.work, file);
  const recorded = recordedOutput(goldenCase, file);
  if (file.endsWith('.tgz')) {
    const files = await readArchiveFiles(own);
    const listing = JSON.parse(await readFile(`${recorded}${PACKED_LISTING}`, 'utf8')) as {
      readonly entries: readonly { readonly name: string; readonly type: string; readonly size: number }[];
    };
    for (const { name, type, size } of listing.entries) {
      if (type !== 'file' || LAYOUT_FILES.test(name)) continue;
      assert.equal(files.get(name.slice(name.indexOf('/') + 1))?.length, size, name);
    }
    return;
  }
  // Locks and charts after a relocation are compared with those of `charts relocate`.
  if (!file.includes('.layout/')) return;
  assert.ok(existsSync(own), file);
  const [actual, expected] = await Promise.all([own, recorded].map(async (place) => readFile(place)));
  if (LAYOUT_FILES.test(file)) assert.deepEqual(parse(actual), parse(expected), file);
  else assert.ok(actual?.equals(expected ?? Buffer.alloc(0)), file);
}

function parse(bytes: Buffer | undefined): unknown {
  return JSON.parse(bytes?.toString() ?? '');
}

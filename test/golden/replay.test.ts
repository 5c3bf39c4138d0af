import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { readArchiveFiles } from '../support/archives.ts';
import { GOLDEN_PORTS, GOLDEN_ROOT, listGoldenCases } from '../support/golden.ts';
import { loadGoldenRegistry, startEmbeddedRegistry, type EmbeddedRegistry } from '../support/registries.ts';
import { NOT_REPLAYED } from './not-replayed.ts';
import { replayDefectCases } from './replay-defects.ts';
import { createSandbox } from '../support/sandbox.ts';
import { createReplay } from './replay-frame.ts';
import { CONTAINER_DIFFERENCES, replayContainerCases } from './replay-container.ts';
import { replayCarvelizeCases } from './replay-carvelize.ts';
import { ANNOTATE_DIFFERENCES, replayAnnotateCases } from './replay-annotate.ts';
import { replayAuthCases } from './replay-auth.ts';
import { replayImagesCases } from './replay-images.ts';
import { IMGPKG_DIFFERENCES, replayImgpkgCases } from './replay-imgpkg.ts';
import { replayInfoCases } from './replay-info.ts';
import { KBLD_DIFFERENCES, replayKbldCases } from './replay-kbld.ts';
import { LOCK_DIFFERENCES, replayLockCases } from './replay-lock.ts';
import { RELOCATE_DIFFERENCES, replayRelocateCases } from './replay-relocate.ts';
import { listGoldenWraps, replayUnwrapCases, UNWRAP_DIFFERENCES, unwrapRecordedWrap } from './replay-unwrap.ts';
import { replayUsageCases, USAGE_DIFFERENCES } from './replay-usage.ts';
import { WRAP_DIFFERENCES, replayWrapCases } from './replay-wrap.ts';

// All cases are in this one file, because the recorded bytes name fixed ports.
describe('golden replay', () => {
  const registries: EmbeddedRegistry[] = [];
  before(async () => {
    const source = await startEmbeddedRegistry({ port: GOLDEN_PORTS.source });
    registries.push(source, await startEmbeddedRegistry({ port: GOLDEN_PORTS.authenticated, auth: true }));
    await loadGoldenRegistry(source.host);
  });
  after(async () => {
    await Promise.all(registries.map(async (registry) => registry.close()));
  });

  const replayed = new Set<string>();
  const replay = createReplay(replayed);
  replayAuthCases(replay);
  replayLockCases(replay);
  replayInfoCases(replay);
  replayWrapCases(replay);
  replayUnwrapCases(replay);
  replayContainerCases(replay);
  replayImagesCases(replay);
  replayCarvelizeCases(replay);
  replayRelocateCases(replay);
  replayAnnotateCases(replay);
  replayUsageCases(replay);
  replayImgpkgCases(replay);
  replayKbldCases(replay);
  replayDefectCases(replay);

  test('no recorded case is left out in silence', () => {
    const areas = readdirSync(GOLDEN_ROOT, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const cases = areas.flatMap(({ name }) => listGoldenCases(name));
    const areaOf = (path: string): string => path.slice(0, path.indexOf('/'));
    assert.deepEqual(
      cases.filter((path) => !replayed.has(path) && NOT_REPLAYED[areaOf(path)] === undefined),
      [],
    );
    const areasReplayed = new Set([...replayed].map(areaOf));
    assert.deepEqual(
      Object.keys(NOT_REPLAYED).filter((area) => areasReplayed.has(area) || !areas.some(({ name }) => name === area)),
      [],
      'the table of what is not replayed names what is, or what does not exist',
    );
    const tables = [
      LOCK_DIFFERENCES,
      WRAP_DIFFERENCES,
      UNWRAP_DIFFERENCES,
      CONTAINER_DIFFERENCES,
      RELOCATE_DIFFERENCES,
      ANNOTATE_DIFFERENCES,
      USAGE_DIFFERENCES,
      IMGPKG_DIFFERENCES,
      KBLD_DIFFERENCES,
    ];
    const explained = tables.flatMap((table) => Object.keys(table));
    assert.deepEqual(
      explained.filter((path) => !cases.includes(path)),
      [],
      'the tables name cases that do not exist',
    );
  });

  for (const path of listGoldenWraps()) {
    test(`info shows ${path.slice(GOLDEN_ROOT.length + 1)}`, async (t) => {
      const sandbox = await createSandbox(t);
      const files = await readArchiveFiles(path);
      assert.equal(
        (await sandbox.runOk(['info', path, '--yaml'])).trimEnd(),
        files.get('chart/Images.lock')?.toString().trimEnd(),
      );
    });
  }

  for (const path of listGoldenWraps().filter((wrap) => wrap.includes('/dt-wrap/'))) {
    test(`unwrap takes ${path.slice(GOLDEN_ROOT.length + 1)}`, async (t) => {
      await unwrapRecordedWrap(t, path);
    });
  }
});

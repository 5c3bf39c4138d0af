import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseImagesLock } from '../../src/domain/lock/parse-lock.ts';
import { readArchive, readArchiveFiles } from '../support/archives.ts';
import { recordedOutput } from '../support/golden.ts';
import { listTags, readStoredManifest } from '../support/registry-content.ts';
import { compareFiles, compareWraps } from './compare-wraps.ts';
import { checkRefused, runFirstStep, SOURCE, type DefectCheck } from './defect-checks.ts';
import { requireComplete } from './compare-registry.ts';
import { recordedFiles, startTarget } from './replay-frame.ts';

/** Recorded defects of `images wrap` and `images unwrap`. */
export const CONTAINER_DEFECTS: Readonly<Record<string, DefectCheck>> = {
  'defects/images-unwrap-chart-wrap-succeeds': async (context) => checkRefused(context, 'DT_USAGE'),
  'defects/images-unwrap-missing-file-succeeds': async (context) => checkRefused(context, 'DT_FILE_NOT_FOUND'),

  'defects/images-unwrap-oci-prefix-fails': async (context) => {
    const target = await startTarget(context.t);
    await runFirstStep(context, 0);
    const source = await readStoredManifest(SOURCE, 'special/single', '2.0.0');
    assert.ok(source !== undefined);
    assert.deepEqual(await listTags(target.host), new Map([['mirror/single:2.0.0', source.digest]]));
    await requireComplete(target.host, 'mirror/single', '2.0.0');
  },

  'defects/wrap-container-digest-file-name': async (context) => {
    const { goldenCase, sandbox } = context;
    await runFirstStep(context, 0);
    const [recorded = ''] = recordedFiles(goldenCase);
    const name = recorded.replace('sha256:', 'sha256-');
    assert.notEqual(name, recorded);
    assert.deepEqual(await readdir(sandbox.work), [name]);
    await compareWraps(join(sandbox.work, name), recordedOutput(goldenCase, recorded), {
      topFolder: name.slice(0, -'.container.wrap.tgz'.length),
    });
  },

  'defects/wrap-container-untagged-with-port': async (context) => {
    const { goldenCase, sandbox } = context;
    await runFirstStep(context, 0);
    const name = 'redis-latest.container.wrap.tgz';
    assert.deepEqual(await readdir(sandbox.work), [name]);
    const own = await readArchive(join(sandbox.work, name));
    assert.ok(own.every((entry) => entry.name.startsWith('redis-latest/')));
    // The recorded top folder is made of three parts, as its file name is.
    const [recorded = ''] = recordedFiles(goldenCase);
    const files = await readArchiveFiles(recordedOutput(goldenCase, recorded));
    const expected = new Map([...files].map(([path, bytes]) => [path.split('/').slice(2).join('/'), bytes]));
    const actual = await readArchiveFiles(join(sandbox.work, name));
    compareFiles(actual, expected);
    const lock = parseImagesLock(actual.get('Images.lock')?.toString() ?? '', name);
    assert.deepEqual(
      lock.images.map(({ image }) => image),
      [`${SOURCE}/library/redis`],
    );
  },
};

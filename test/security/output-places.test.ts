import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pushImage } from '../support/images.ts';
import { startEmbeddedRegistry } from '../support/registries.ts';
import { runCli, type RunCliResult } from '../support/run-cli.ts';
import { chartFiles, withFolder, writeFiles } from '../support/hostile-wraps.ts';

const TMPFS_BYTES = 1024 * 1024;

/** Runs `wrap` on a chart with an image of 2 MB. */
async function runWrap(
  outputFile: string,
  folder: string,
  env: Readonly<Record<string, string>> = {},
  flags: readonly string[] = [],
): Promise<RunCliResult> {
  const registry = await startEmbeddedRegistry();
  try {
    await pushImage(registry.host, 'library/app:1.0', { layerBytes: 500_000 });
    await writeFiles(join(folder, 'demo'), chartFiles([`${registry.host}/library/app:1.0`]));
    return await runCli(['wrap', join(folder, 'demo'), '--output-file', outputFile, '--plain', ...flags], {
      cwd: folder,
      env: { HOME: folder, ...env },
    });
  } finally {
    await registry.close();
  }
}

test('an output file below a file is refused', async () => {
  await withFolder(async (folder) => {
    await writeFile(join(folder, 'file'), 'x');
    const { code, stderr } = await runWrap(join(folder, 'file', 'out.wrap.tgz'), folder);
    assert.equal(code, 1);
    assert.match(stderr, /Code: DT_OUTPUT_FAILED/);
    assert.equal(await readFile(join(folder, 'file'), 'utf8'), 'x');
  });
});

test('an output file in a folder that is missing gets its folder', async () => {
  await withFolder(async (folder) => {
    const { code, stderr } = await runWrap(join(folder, 'a', 'b', 'out.wrap.tgz'), folder);
    assert.equal(code, 0, stderr);
    assert.deepEqual(await readdir(join(folder, 'a', 'b')), ['out.wrap.tgz']);
  });
});

test('an output path that is a folder is refused and stays as it is', async () => {
  await withFolder(async (folder) => {
    await mkdir(join(folder, 'out.wrap.tgz'));
    const { code, stderr } = await runWrap(join(folder, 'out.wrap.tgz'), folder);
    assert.equal(code, 1);
    assert.match(stderr, /Code: DT_OUTPUT_FAILED/);
    assert.deepEqual((await readdir(folder)).sort(), ['demo', 'out.wrap.tgz']);
    assert.deepEqual(await readdir(join(folder, 'out.wrap.tgz')), []);
  });
});

test('an output path that is a device is refused and stays as it is', async () => {
  await withFolder(async (folder) => {
    const { code, stderr } = await runWrap('/dev/full', folder);
    assert.equal(code, 1);
    assert.match(stderr, /Code: DT_OUTPUT_FAILED/);
  });
});

test('a planted link under the name of the partial file is not followed', async () => {
  await withFolder(async (folder) => {
    await writeFile(join(folder, 'precious'), 'precious');
    await symlink(join(folder, 'precious'), join(folder, 'out.wrap.tgz.partial'));
    await runWrap(join(folder, 'out.wrap.tgz'), folder);
    assert.ok(
      (await readFile(join(folder, 'precious'), 'utf8')) === 'precious',
      'the file behind the link was overwritten',
    );
  });
});

test('a planted link under the name of the lock is not followed', async () => {
  await withFolder(async (folder) => {
    await writeFile(join(folder, 'precious'), 'precious');
    await symlink(join(folder, 'precious'), join(folder, 'out.wrap.tgz.partial.lock'));
    await runWrap(join(folder, 'out.wrap.tgz'), folder);
    assert.ok(
      (await readFile(join(folder, 'precious'), 'utf8')) === 'precious',
      'the file behind the link was overwritten',
    );
  });
});

for (const [name, flags] of [
  ['before anything is fetched', []],
  ['when it shows', ['--skip-preflight']],
] as const) {
  test(`a full disk is named, ${name}, and no file stays under the final name`, async (t) => {
    await withFolder(async (folder) => {
      const mount = join(folder, 'disk');
      await mkdir(mount);
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${String(TMPFS_BYTES)}`, 'tmpfs', mount], { stdio: 'pipe' });
      } catch (error) {
        // In CI nothing is skipped.
        if (process.env['CI'] !== undefined) throw error;
        t.skip('SKIPPED: needs the right to mount a tmpfs');
        return;
      }
      try {
        const { code, stderr } = await runWrap(join(mount, 'out.wrap.tgz'), folder, {}, flags);
        assert.equal(code, 1, stderr);
        assert.match(stderr, /Code: DT_DISK_FULL/);
        // The check before tells the figures.
        assert.equal(/It needs .* bytes/.test(stderr), flags.length === 0);
        assert.ok(!(await readdir(mount)).includes('out.wrap.tgz'));
        assert.ok(!(await readdir(mount)).includes('out.wrap.tgz.partial.lock'));
      } finally {
        execFileSync('umount', ['-l', mount]);
      }
    });
  });
}

for (const value of ['yesterday', '-1', '1.5', '0x10', '1e9', '99999999999999999999', ' 1', '1\n2', '\u001b[2J']) {
  test(`SOURCE_DATE_EPOCH=${JSON.stringify(value)} is refused`, async () => {
    await withFolder(async (folder) => {
      const { code, stderr } = await runWrap(join(folder, 'out.wrap.tgz'), folder, { SOURCE_DATE_EPOCH: value });
      assert.equal(code, 1);
      assert.match(stderr, /Code: DT_CONFIG_INVALID/);
      assert.deepEqual(await readdir(folder), ['demo']);
    });
  });
}

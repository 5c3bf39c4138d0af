import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseImagesLock } from '../../src/domain/lock/parse-lock.ts';
import { packArchive, readArchiveFiles } from '../support/archives.ts';
import { goldenArguments, GOLDEN_PORTS } from '../support/golden.ts';
import { listTags, readStoredChart, readStoredManifest } from '../support/registry-content.ts';
import type { RunCliResult } from '../support/run-cli.ts';
import { startTarget, type ReplayContext } from './replay-frame.ts';
import { isWrite } from './replay-unwrap.ts';

export const SOURCE = `127.0.0.1:${String(GOLDEN_PORTS.source)}`;
export const TARGET = `127.0.0.1:${String(GOLDEN_PORTS.target)}`;
export const UNWRAP_FLAGS = ['--yes', '--plain', '--use-plain-http'];

/** What asserts a defect as mended. */
export type DefectCheck = (context: ReplayContext) => Promise<void>;

/** Replays the first step and requires an exit code. */
export async function runFirstStep({ goldenCase, sandbox }: ReplayContext, code: number): Promise<RunCliResult> {
  const [step] = goldenCase.steps;
  assert.ok(step !== undefined);
  const result = await sandbox.run(goldenArguments(step, sandbox));
  assert.equal(result.code, code, result.stderr);
  return result;
}

/** The recorded command is refused with this code, before anything is written anywhere. */
export async function checkRefused(context: ReplayContext, code: string): Promise<void> {
  const target = await startTarget(context.t);
  const [step] = context.goldenCase.steps;
  assert.ok(step !== undefined);
  const before = await listTags(SOURCE);
  const result = await context.sandbox.run(goldenArguments(step, context.sandbox));
  assert.equal(errorCode(result), code, result.stderr);
  assert.deepEqual(target.requests.filter(isWrite), []);
  assert.deepEqual(await listTags(SOURCE), before);
  assert.deepEqual(await context.sandbox.listTemporary(), []);
}

/** A lock that was just made verifies in `wrap`, which stores it as it is. */
export async function checkFreshLockVerifies({ t, sandbox }: ReplayContext): Promise<void> {
  const target = await startTarget(t);
  await sandbox.runOk(['images', 'lock', 'c']);
  const lockText = await readFile(join(sandbox.work, 'c/Images.lock'), 'utf8');
  await sandbox.runOk(['wrap', 'c', '--output-file', 'w.tgz']);
  assert.equal((await readArchiveFiles(join(sandbox.work, 'w.tgz'))).get('chart/Images.lock')?.toString(), lockText);
  await sandbox.runOk(['unwrap', 'w.tgz', `${TARGET}/m`, ...UNWRAP_FLAGS]);
  await checkSameDigests(lockText, target.host);
}

/** Wrapped by us, an image has the same digest in the target as at its source. */
export async function checkSourceDigestKept(context: ReplayContext): Promise<void> {
  const { t, sandbox } = context;
  const target = await startTarget(t);
  await mkdir(join(sandbox.work, 'chart'));
  for (const [name, bytes] of await readArchiveFiles(join(sandbox.work, 'c1-1.0.0.wrap.tgz'))) {
    if (name.startsWith('chart/') && name !== 'chart/Images.lock') await writeFile(join(sandbox.work, name), bytes);
  }
  await sandbox.runOk(['wrap', 'chart', '--output-file', 'own.tgz']);
  await sandbox.runOk(['unwrap', 'own.tgz', `${TARGET}/m`, ...UNWRAP_FLAGS]);
  const lockText = (await readArchiveFiles(join(sandbox.work, 'own.tgz'))).get('chart/Images.lock')?.toString() ?? '';
  await checkSameDigests(lockText, target.host);
  const pinned = /digest: (sha256:[0-9a-f]{64})/.exec(
    (await readStoredChart(target.host, 'm/c1', '1.0.0')).files.get('values.yaml')?.toString() ?? '',
  )?.[1];
  if (context.goldenCase.path === 'defects/unwrap-digest-pin-in-values-breaks') {
    assert.ok(pinned !== undefined);
    assert.ok((await readStoredManifest(target.host, 'm/bitnami/nginx', pinned)) !== undefined);
  }
}

export async function checkSameDigests(lockText: string, targetHost: string): Promise<void> {
  const { images } = parseImagesLock(lockText, 'Images.lock');
  assert.ok(images.length > 0);
  for (const { image } of images) {
    const [repository, tag] = image.replace(`${SOURCE}/`, '').split(':') as [string, string];
    const source = await readStoredManifest(SOURCE, repository, tag);
    assert.ok(source !== undefined);
    assert.equal((await readStoredManifest(targetHost, `m/${repository}`, tag))?.digest, source.digest, image);
  }
}

/** The code in the last line of an error. */
export function errorCode({ stderr }: RunCliResult): string | undefined {
  return /^ *Code: (DT_[A-Z_]+)$/m.exec(stderr)?.[1];
}

export function chartYaml(images: readonly string[]): string {
  const list = images
    .map((image) => `    - {name: ${/([^/:@]+)[:@]/.exec(image)?.[1] ?? 'x'}, image: "${image}"}`)
    .join('\n');
  return `apiVersion: v2\nname: own\nversion: 1.0.0\nannotations:\n  images: |\n${list}\n`;
}

/** The lock of a chart whose registry cannot be asked, as a light wrap has it. */
export async function listLock(sandbox: ReplayContext['sandbox'], chart: string): Promise<Buffer> {
  await sandbox.runOk(['wrap', chart, '--skip-pull-images', '--output-file', 'light.tgz']);
  const lock = (await readArchiveFiles(join(sandbox.work, 'light.tgz'))).get('chart/Images.lock');
  assert.ok(lock !== undefined);
  return lock;
}

/** A light wrap of a chart folder without any doing of ours. */
export async function packFolderAsWrap(work: string, chart: string, wrap: string, lock?: Buffer): Promise<void> {
  const entries = (await readdir(join(work, chart), { recursive: true, withFileTypes: true })).filter((entry) =>
    entry.isFile(),
  );
  const files: Record<string, Uint8Array> = {};
  for (const { parentPath, name } of entries) {
    const path = join(parentPath, name);
    files[`top/chart${path.slice(join(work, chart).length)}`] = await readFile(path);
  }
  if (lock !== undefined) files['top/chart/Images.lock'] = lock;
  await writeFile(join(work, wrap), await packArchive(files));
}

export async function readWrapLock(path: string): Promise<ReturnType<typeof parseImagesLock>> {
  return parseImagesLock((await readArchiveFiles(path)).get('chart/Images.lock')?.toString() ?? '', 'Images.lock');
}

export async function hashFile(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}

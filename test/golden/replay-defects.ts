import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseImagesLock } from '../../src/domain/lock/parse-lock.ts';
import { packArchive, readArchive, readArchiveFiles } from '../support/archives.ts';
import { goldenArguments, GOLDEN_PORTS, listGoldenCases } from '../support/golden.ts';
import { pushImage } from '../support/images.ts';
import { listTags, readStoredChart, readStoredManifest } from '../support/registry-content.ts';
import { type RunCliResult } from '../support/run-cli.ts';
import { isWrite } from './replay-unwrap.ts';
import { startTarget, type Replay, type ReplayContext } from './replay-frame.ts';

const SOURCE = `127.0.0.1:${String(GOLDEN_PORTS.source)}`;
const TARGET = `127.0.0.1:${String(GOLDEN_PORTS.target)}`;
const UNWRAP_FLAGS = ['--yes', '--plain', '--use-plain-http'];

/** Groups of recorded defects that belong to lock, wrap, info and unwrap. */
const DEFECT_GROUP = /^defects\/(?:wrap|lock|info|unwrap|subchart)-/;

/** Defects of commands and flags that do not exist yet: they are asserted where those come. */
const LATER_DEFECTS: Readonly<Record<string, string>> = {
  'defects/wrap-container-digest-file-name': 'images wrap does not exist yet',
  'defects/wrap-container-untagged-with-port': 'images wrap does not exist yet',
  'defects/unwrap-chart-metadata-not-pushed': 'artifacts are neither wrapped nor pushed yet; unwrap warns',
  'defects/unwrap-signature-does-not-verify': 'artifacts are neither wrapped nor pushed yet; unwrap warns',
};

export function listDefectCases(): string[] {
  return listGoldenCases('defects').filter((path) => DEFECT_GROUP.test(path));
}

/** What the peer gets wrong, each asserted as its `defect.wanted` says. */
export function replayDefectCases(replay: Replay): void {
  for (const path of listDefectCases()) {
    const check = CHECKS[path];
    if (check !== undefined) replay(path, check);
    else if (LATER_DEFECTS[path] !== undefined) replay(path, checkLater);
  }
}

const CHECKS: Readonly<Record<string, (context: ReplayContext) => Promise<void>>> = {
  'defects/wrap-duplicates-blobs': async ({ sandbox }) => {
    // The recorded layers are too small to be worth a link: these are not.
    const options = { layerBytes: 200_000, sharedLayers: 1, sharedSeed: 'base' };
    for (const name of ['a', 'b']) await pushImage(SOURCE, `shared/${name}:1`, { ...options, seed: name });
    await mkdir(join(sandbox.work, 'own'));
    await writeFile(join(sandbox.work, 'own/Chart.yaml'), chartYaml([`${SOURCE}/shared/a:1`, `${SOURCE}/shared/b:1`]));
    await sandbox.runOk(['wrap', 'own', '--output-file', 'w.tgz']);
    const layers = (await readArchive(join(sandbox.work, 'w.tgz'))).filter(({ bytes }) => bytes.length >= 200_000);
    const copies = layers.filter(({ type }) => type === 'file').map(({ name }) => name.split('/').at(-1));
    assert.ok(layers.length > copies.length);
    assert.equal(new Set(copies).size, copies.length);
  },

  'defects/wrap-foreign-layer-fails': async ({ sandbox }) => {
    await sandbox.runOk(['wrap', 'c', '--output-file', 'w.tgz']);
    const names = [...(await readArchiveFiles(join(sandbox.work, 'w.tgz'))).keys()];
    const stored = await readStoredManifest(SOURCE, 'special/foreign', '1.0.0');
    assert.ok(stored !== undefined);
    for (const layer of stored.manifest.layers ?? []) {
      const isForeign = /foreign|nondistributable/.test(layer.mediaType);
      assert.equal(
        names.some((name) => name.endsWith(layer.digest.slice('sha256:'.length))),
        !isForeign,
        layer.mediaType,
      );
    }
  },

  'defects/wrap-index-digest-reference-fails': async ({ t, sandbox }) => {
    const target = await startTarget(t);
    await sandbox.runOk(['wrap', 'c', '--output-file', 'w.tgz']);
    await sandbox.runOk(['unwrap', 'w.tgz', `${TARGET}/m`, ...UNWRAP_FLAGS]);
    const digest = 'sha256:36cd437b824ee99eb19e64f0a7af510b84cd5e282a2f255d44b284464794c026';
    assert.equal((await readStoredManifest(target.host, 'm/bitnami/nginx', digest))?.digest, digest);
  },

  'defects/wrap-not-reproducible': async ({ sandbox }) => {
    const env = { SOURCE_DATE_EPOCH: '1700000000' };
    for (const file of ['a.tgz', 'b.tgz']) await sandbox.runOk(['wrap', 'c', '--output-file', file], { env });
    assert.equal(await hashFile(join(sandbox.work, 'a.tgz')), await hashFile(join(sandbox.work, 'b.tgz')));
  },

  'defects/wrap-symlink-to-folder': async ({ sandbox }) => {
    // The recorded link leaves the chart: following it would carry the packer's files away. The data has it as a text.
    const link = join(sandbox.work, 'c/files');
    await rm(link);
    await symlink('../shared', link);
    const refused = await sandbox.run(['wrap', 'c', '--output-file', 'w.tgz']);
    assert.equal(errorCode(refused), 'DT_UNSAFE_ENTRY');
    assert.ok(!existsSync(join(sandbox.work, 'w.tgz')));
    await cp(join(sandbox.work, 'shared'), join(sandbox.work, 'c/shared'), { recursive: true });
    await rm(link);
    await symlink('shared', link);
    await sandbox.runOk(['wrap', 'c', '--output-file', 'w.tgz']);
    assert.equal((await readArchiveFiles(join(sandbox.work, 'w.tgz'))).get('chart/files/x.txt')?.toString(), 'x');
  },

  'defects/lock-arm-variants-do-not-verify': checkFreshLockVerifies,
  'defects/lock-windows-versions-do-not-verify': checkFreshLockVerifies,

  'defects/lock-fields-lost': async ({ t, sandbox }) => {
    const target = await startTarget(t);
    await packFolderAsWrap(sandbox.work, 'c', 'w.tgz');
    await sandbox.runOk(['unwrap', 'w.tgz', `${TARGET}/m`, '--skip-pull-images', ...UNWRAP_FLAGS]);
    const { files } = await readStoredChart(target.host, 'm/c', '1.0.0');
    const original = await readFile(join(sandbox.work, 'c/Images.lock'), 'utf8');
    assert.equal(files.get('Images.lock')?.toString(), original.replace('a/image:1', `${TARGET}/m/a/image:1`));
  },

  'defects/lock-missing-one-dependency-unnoticed': async ({ sandbox }) => {
    const result = await sandbox.run(['images', 'lock', 'c']);
    assert.equal(errorCode(result), 'DT_DEPENDENCY_MISSING');
    assert.match(result.stderr, /beta/);
    assert.ok(!existsSync(join(sandbox.work, 'c/Images.lock')));
  },

  'defects/lock-nested-index': async ({ sandbox }) => {
    // Not walked into, as its platforms have no place in the lock; refused with a word, and nothing is written.
    const result = await sandbox.run(['images', 'lock', 'c']);
    assert.equal(errorCode(result), 'DT_MANIFEST_INVALID');
    assert.ok(!existsSync(join(sandbox.work, 'c/Images.lock')));
  },

  'defects/lock-platforms-space': async ({ goldenCase, sandbox }) => {
    const [step] = goldenCase.steps;
    assert.ok(step !== undefined);
    await sandbox.runOk(goldenArguments(step, sandbox));
    const lock = parseImagesLock(await readFile(join(sandbox.work, 'c/Images.lock'), 'utf8'), 'Images.lock');
    assert.deepEqual(
      lock.images[0]?.digests.map(({ arch }) => arch),
      ['linux/amd64', 'linux/arm64'],
    );
  },

  'defects/info-container-wrap': async ({ sandbox }) => {
    const stdout = await sandbox.runOk(['info', 'single-2.0.0.container.wrap.tgz', '--plain']);
    assert.match(stdout, /special\/single:2\.0\.0 \(linux\/amd64\)/);
  },

  'defects/info-truncated-wrap': async ({ t, sandbox }) => {
    // `info` of the Go tool's wraps stays quick and reads up to the lock; unwrap checks, and our own wraps have a footer.
    await sandbox.runOk(['info', 't.tgz', '--yaml']);
    const target = await startTarget(t);
    const unwrapped = await sandbox.run(['unwrap', 't.tgz', `${TARGET}/m`, ...UNWRAP_FLAGS]);
    assert.equal(errorCode(unwrapped), 'DT_WRAP_TRUNCATED');
    assert.deepEqual(target.requests, []);
    await mkdir(join(sandbox.work, 'own'));
    await writeFile(join(sandbox.work, 'own/Chart.yaml'), chartYaml([`${SOURCE}/one/app:1`]));
    await sandbox.runOk(['wrap', 'own', '--output-file', 'own.tgz']);
    const whole = await readFile(join(sandbox.work, 'own.tgz'));
    await writeFile(join(sandbox.work, 'own.tgz'), whole.subarray(0, whole.length - 10));
    for (const args of [
      ['info', 'own.tgz'],
      ['unwrap', 'own.tgz', `${TARGET}/m`, ...UNWRAP_FLAGS],
    ]) {
      assert.equal(errorCode(await sandbox.run(args)), 'DT_WRAP_TRUNCATED', args.join(' '));
    }
  },

  'defects/unwrap-collision-overwrites': async (context) => checkRefused(context, 'DT_RELOCATION_COLLISION'),
  'defects/unwrap-light-wrap-pushes-empty-list': async (context) => checkRefused(context, 'DT_WRAP_INCOMPLETE'),
  'defects/unwrap-path-traversal': async (context) => checkRefused(context, 'DT_UNSAFE_ENTRY'),
  'defects/unwrap-tampered-manifest-is-pushed': async (context) => checkRefused(context, 'DT_DIGEST_MISMATCH'),
  'defects/unwrap-without-lock-pushes-chart-only': async (context) => checkRefused(context, 'DT_WRAP_INVALID'),
  'defects/unwrap-remote-input': async (context) => checkRefused(context, 'DT_USAGE'),
  'defects/unwrap-skip-image-relocation-writes-to-source': async (context) => checkRefused(context, 'DT_USAGE'),

  'defects/unwrap-digest-pin-in-values-breaks': checkSourceDigestKept,
  'defects/unwrap-index-digest-changes': checkSourceDigestKept,

  'defects/unwrap-digest-reference-fails': async ({ t, goldenCase, sandbox }) => {
    const target = await startTarget(t);
    await runFirstStep({ t, goldenCase, sandbox }, 0);
    const lock = await readWrapLock(join(sandbox.work, 'c1-1.0.0.wrap.tgz'));
    const [repository, digest] = lock.images[0]?.image.replace(`${SOURCE}/`, '').split('@') ?? [];
    assert.equal((await readStoredManifest(target.host, `m/${String(repository)}`, String(digest)))?.digest, digest);
  },

  'defects/unwrap-leaves-temporary-folder': async (context) => {
    await startTarget(context.t);
    await runFirstStep(context, 0);
    assert.deepEqual(await context.sandbox.listTemporary(), []);
    const failed = await context.sandbox.run(['unwrap', 'c1-1.0.0.wrap.tgz', '127.0.0.1:9/m', ...UNWRAP_FLAGS]);
    assert.equal(failed.code, 5);
    assert.deepEqual(await context.sandbox.listTemporary(), []);
  },

  'defects/unwrap-no-terminal-hangs': async (context) => {
    const target = await startTarget(context.t);
    const [step] = context.goldenCase.steps;
    assert.ok(step !== undefined);
    const args = goldenArguments(step, context.sandbox);
    for (const stdin of ['', 'n\n', '\n']) {
      const refused = await context.sandbox.run(args, { stdin, timeoutMs: 20_000 });
      assert.equal(refused.code, 0, refused.stderr);
      assert.match(refused.stdout.trimEnd().split('\n').at(-1) ?? '', /--yes/);
      assert.deepEqual(target.requests.filter(isWrite), []);
    }
    await context.sandbox.runOk(args, { stdin: 'y\n', timeoutMs: 20_000 });
    assert.deepEqual([...(await listTags(target.host)).keys()].sort(), ['m/c1:1.0.0', 'm/special/single:2.0.0']);
  },

  'defects/unwrap-trailing-slash-message': async (context) => {
    const target = await startTarget(context.t);
    const { stdout } = await runFirstStep(context, 0);
    assert.match(stdout, /helm install oci:\/\/127\.0\.0\.1:5102\/m\/c1 /);
    assert.deepEqual([...(await listTags(target.host)).keys()].sort(), ['m/c1:1.0.0', 'm/special/single:2.0.0']);
  },

  'defects/subchart-archive-fails': async ({ t, sandbox }) => {
    const target = await startTarget(t);
    await packFolderAsWrap(sandbox.work, 'c', 'w.tgz', await listLock(sandbox, 'c'));
    await sandbox.runOk(['unwrap', 'w.tgz', `${TARGET}/m`, '--skip-pull-images', ...UNWRAP_FLAGS]);
    const { files } = await readStoredChart(target.host, 'm/c', '1.0.0');
    assert.match(files.get('Chart.yaml')?.toString() ?? '', /image: 127\.0\.0\.1:5102\/m\/x\/parent:1/);
    const subchart = await readArchiveFiles(files.get('charts/alpha-1.0.0.tgz') ?? Buffer.alloc(0));
    assert.match(subchart.get('Chart.yaml')?.toString() ?? '', /image: 127\.0\.0\.1:5102\/m\//);
  },

  'defects/subchart-folder-name-differs': async ({ t, sandbox }) => {
    const target = await startTarget(t);
    await packFolderAsWrap(sandbox.work, 'c', 'w.tgz', await listLock(sandbox, 'c'));
    await sandbox.runOk(['unwrap', 'w.tgz', `${TARGET}/m`, '--skip-pull-images', ...UNWRAP_FLAGS]);
    const { files } = await readStoredChart(target.host, 'm/c', '1.0.0');
    assert.match(files.get('charts/foo/Chart.yaml')?.toString() ?? '', /image: 127\.0\.0\.1:5102\/m\/x\/alpha:1/);
  },
};

/** Replays the first step and requires an exit code. */
async function runFirstStep({ goldenCase, sandbox }: ReplayContext, code: number): Promise<RunCliResult> {
  const [step] = goldenCase.steps;
  assert.ok(step !== undefined);
  const result = await sandbox.run(goldenArguments(step, sandbox));
  assert.equal(result.code, code, result.stderr);
  return result;
}

/** The recorded command is refused with this code, before anything is written anywhere. */
async function checkRefused(context: ReplayContext, code: string): Promise<void> {
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
async function checkFreshLockVerifies({ t, sandbox }: ReplayContext): Promise<void> {
  const target = await startTarget(t);
  await sandbox.runOk(['images', 'lock', 'c']);
  const lockText = await readFile(join(sandbox.work, 'c/Images.lock'), 'utf8');
  await sandbox.runOk(['wrap', 'c', '--output-file', 'w.tgz']);
  assert.equal((await readArchiveFiles(join(sandbox.work, 'w.tgz'))).get('chart/Images.lock')?.toString(), lockText);
  await sandbox.runOk(['unwrap', 'w.tgz', `${TARGET}/m`, ...UNWRAP_FLAGS]);
  await checkSameDigests(lockText, target.host);
}

/** Wrapped by us, an image has the same digest in the target as at its source. */
async function checkSourceDigestKept(context: ReplayContext): Promise<void> {
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

async function checkSameDigests(lockText: string, targetHost: string): Promise<void> {
  const { images } = parseImagesLock(lockText, 'Images.lock');
  assert.ok(images.length > 0);
  for (const { image } of images) {
    const [repository, tag] = image.replace(`${SOURCE}/`, '').split(':') as [string, string];
    const source = await readStoredManifest(SOURCE, repository, tag);
    assert.ok(source !== undefined);
    assert.equal((await readStoredManifest(targetHost, `m/${repository}`, tag))?.digest, source.digest, image);
  }
}

/** Asserted where the command or flag comes; until then the recorded command line is refused, or warned about. */
async function checkLater(context: ReplayContext): Promise<void> {
  await startTarget(context.t);
  const [step] = context.goldenCase.steps;
  assert.ok(step !== undefined);
  const result = await context.sandbox.run(goldenArguments(step, context.sandbox));
  if (step.argv?.[1] === 'images') assert.equal(errorCode(result), 'DT_USAGE');
  else assert.match(result.stderr, /signatures and metadata/);
}

/** The code in the last line of an error. */
export function errorCode({ stderr }: RunCliResult): string | undefined {
  return /^ *Code: (DT_[A-Z_]+)$/m.exec(stderr)?.[1];
}

function chartYaml(images: readonly string[]): string {
  const list = images
    .map((image) => `    - {name: ${/([^/:@]+)[:@]/.exec(image)?.[1] ?? 'x'}, image: "${image}"}`)
    .join('\n');
  return `apiVersion: v2\nname: own\nversion: 1.0.0\nannotations:\n  images: |\n${list}\n`;
}

/** The lock of a chart whose registry cannot be asked, as a light wrap has it. */
async function listLock(sandbox: ReplayContext['sandbox'], chart: string): Promise<Buffer> {
  await sandbox.runOk(['wrap', chart, '--skip-pull-images', '--output-file', 'light.tgz']);
  const lock = (await readArchiveFiles(join(sandbox.work, 'light.tgz'))).get('chart/Images.lock');
  assert.ok(lock !== undefined);
  return lock;
}

/** A light wrap of a chart folder without any doing of ours. */
async function packFolderAsWrap(work: string, chart: string, wrap: string, lock?: Buffer): Promise<void> {
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

async function readWrapLock(path: string): Promise<ReturnType<typeof parseImagesLock>> {
  return parseImagesLock((await readArchiveFiles(path)).get('chart/Images.lock')?.toString() ?? '', 'Images.lock');
}

async function hashFile(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}

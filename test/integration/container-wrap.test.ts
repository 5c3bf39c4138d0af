import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseImagesLock } from '../../src/domain/lock/parse-lock.ts';
import { attachedTag } from '../../src/domain/oci/attached-artifact.ts';
import { digestHex, type Digest } from '../../src/domain/oci/digest.ts';
import { readArchive, readArchiveFiles } from '../support/archives.ts';
import { createCosign } from '../support/cosign.ts';
import { DISTRIBUTION_3, EMBEDDED, openFidelitySite, type FidelitySite } from '../support/fidelity-site.ts';
import { pushImage, type PushedImage } from '../support/images.ts';
import { listTags } from '../support/registry-content.ts';

/** Layers of this size have a place of their own in a wrap, and are linked where they occur again. */
const LARGE_LAYER_BYTES = 100_000;
const WRAP_FILE = 'app-1.container.wrap.tgz';

interface Naming {
  readonly name: string;
  readonly reference: (host: string, digest: Digest) => string;
  /** `IMAGE-TAG` of the file and its top folder. */
  readonly folder: (digest: Digest) => string;
  /** Behind the repository in the target. */
  readonly target: (digest: Digest) => string;
  readonly isLatest?: boolean;
}

const byDigest = (digest: Digest): string => `@${digest}`;
const NAMINGS: readonly Naming[] = [
  {
    name: 'a tag',
    reference: (host) => `${host}/team/deep/app:1`,
    folder: () => 'app-1',
    target: () => ':1',
  },
  {
    name: 'oci:// in front',
    reference: (host) => `oci://${host}/team/deep/app:1`,
    folder: () => 'app-1',
    target: () => ':1',
  },
  {
    name: 'a tag and a digest',
    reference: (host, digest) => `${host}/team/deep/app:1@${digest}`,
    folder: () => 'app-1',
    target: () => ':1',
  },
  {
    name: 'a digest',
    reference: (host, digest) => `${host}/team/deep/app@${digest}`,
    folder: (digest) => `app-sha256-${digestHex(digest)}`,
    target: byDigest,
  },
  {
    name: 'neither tag nor digest, in a registry with a port',
    reference: (host) => `${host}/team/deep/app`,
    folder: () => 'app-latest',
    target: () => ':latest',
    isLatest: true,
  },
];

for (const { name, reference, folder, target, isLatest = false } of NAMINGS) {
  test(`an image named by ${name} gets its file, and its digest in the target`, async (t) => {
    const site = await openFidelitySite(t, EMBEDDED);
    if (site === undefined) return;
    const { sandbox, source, clients } = site;
    const tagged = await pushImage(source.host, 'team/deep/app:1');
    const latest = await pushImage(source.host, 'team/deep/app:latest', { seed: 'latest' });
    const image = isLatest ? latest : tagged;
    const given = reference(source.host, image.digest);
    await sandbox.runOk(['images', 'wrap', given]);
    const file = `${folder(image.digest)}.container.wrap.tgz`;
    assert.deepEqual(await readdir(sandbox.work), [file]);
    const entries = (await readArchive(join(sandbox.work, file))).map((entry) => entry.name);
    assert.ok(entries.every((entry) => entry.startsWith(`${folder(image.digest)}/`)));
    assert.ok(entries.includes(`${folder(image.digest)}/Images.lock`));
    assert.match(await sandbox.runOk(['info', file]), new RegExp(`${given.replace('oci://', '')} `));

    await sandbox.runOk(['images', 'unwrap', file, `oci://${site.target.host}/mirror/x/`, '--yes']);
    const place = `${site.target.host}/mirror/x/app`;
    assert.equal(await clients.digest(place + target(image.digest)), image.digest);
    await clients.validate(place + target(image.digest));
    const tags = target(image.digest).startsWith(':') ? [target(image.digest).slice(1)] : [];
    assert.deepEqual(
      [...(await listTags(site.target.host)).keys()],
      tags.map((tag) => `mirror/x/app:${tag}`),
    );
  });
}

for (const isSparse of [false, true]) {
  test(`chosen variants arrive in a registry that ${isSparse ? 'takes' : 'refuses'} an index with gaps`, async (t) => {
    const site = await openFidelitySite(t, DISTRIBUTION_3, { sparseIndexes: isSparse });
    if (site === undefined) return;
    const { sandbox, source, target, clients } = site;
    const image = await pushImage(source.host, 'team/app:1', {
      platforms: ['linux/amd64', 'linux/arm/v6', 'linux/arm/v7', 'linux/arm64'],
    });
    const wanted = ['linux/amd64', 'linux/arm/v7'];
    const kept = image.manifests.filter(({ platform }) => wanted.includes(platform)).map(({ digest }) => digest);
    await sandbox.runOk(['images', 'wrap', `${source.host}/team/app:1`, '--platforms', wanted.join(',')]);
    const files = await readArchiveFiles(join(sandbox.work, WRAP_FILE));
    const lock = parseImagesLock(files.get('Images.lock')?.toString() ?? '', WRAP_FILE);
    assert.deepEqual(
      lock.images.map(({ digests }) => digests.map(({ digest }) => digest)),
      [kept],
    );
    for (const { digest } of image.manifests) {
      const isThere = [...files.keys()].some((path) => path.endsWith(`/blobs/sha256/${digestHex(digest)}`));
      assert.equal(isThere, kept.includes(digest), digest);
    }
    const args = ['images', 'unwrap', WRAP_FILE, `${target.host}/m`, '--yes', '--json'];
    const { images } = JSON.parse(await sandbox.runOk(args)) as {
      images: { digest: string; sourceDigest?: string; platforms: { platform: string }[] }[];
    };
    const stored = await clients.digest(`${target.host}/m/app:1`);
    assert.deepEqual(
      images.map(({ platforms, digest, sourceDigest }) => ({
        digest,
        sourceDigest,
        platforms: platforms.map(({ platform }) => platform),
      })),
      [{ digest: stored, sourceDigest: isSparse ? undefined : image.digest, platforms: wanted }],
    );
    assert.equal(stored === image.digest, isSparse);
    const index = JSON.parse((await clients.manifest(`${target.host}/m/app:1`)).toString()) as {
      manifests: { digest: Digest }[];
    };
    const present = await Promise.all(
      index.manifests.map(async ({ digest }) => clients.digest(`${target.host}/m/app@${digest}`)),
    );
    assert.deepEqual(
      present.filter((digest) => digest !== undefined),
      kept,
    );
  });
}

test('what cosign and regctl have attached to an image goes along, unless it is left out', async (t) => {
  const cosign = await createCosign(t);
  const site = await openFidelitySite(t, EMBEDDED);
  if (cosign === undefined || site === undefined) return;
  const { sandbox, source, target, clients } = site;
  const { image, sbom } = await pushSignedImage(site, cosign);
  const wrap = async (file: string, ...flags: string[]): Promise<{ attachedCount: number }[]> => {
    const args = ['images', 'wrap', `${source.host}/team/app:1`, '--output-file', file, '--json', ...flags];
    return (JSON.parse(await sandbox.runOk(args)) as { images: { attachedCount: number }[] }).images;
  };
  // The classic signature, the attestation in a bundle, and the SBOM.
  assert.deepEqual(
    (await wrap('all.tgz')).map(({ attachedCount }) => attachedCount),
    [3],
  );
  assert.deepEqual(await wrap('fetched.tgz', '--fetch-artifacts'), await wrap('again.tgz'));
  assert.deepEqual(
    (await wrap('none.tgz', '--no-referrers')).map(({ attachedCount }) => attachedCount),
    [0],
  );
  const contradiction = await sandbox.run([
    ...['images', 'wrap', `${source.host}/team/app:1`, '--output-file', 'x.tgz'],
    ...['--no-referrers', '--fetch-artifacts'],
  ]);
  assert.equal(contradiction.code, 2);

  const unwrap = async (file: string, place: string, ...flags: string[]): Promise<string> => {
    await sandbox.runOk(['images', 'unwrap', file, `${target.host}/${place}`, '--yes', ...flags]);
    return `${target.host}/${place}/app`;
  };
  const place = await unwrap('all.tgz', 'm');
  assert.equal(await clients.digest(`${place}:1`), image.digest);
  assert.equal((await cosign.verify(`${place}@${image.digest}`, 'classic')).code, 0);
  const attested = await cosign.verifyAttestation(`${place}@${image.digest}`);
  assert.equal(attested.code, 0, attested.stderr);
  const digests = (await clients.referrers(`${place}@${image.digest}`)).map(({ digest }) => digest);
  assert.equal(digests.length, 2);
  assert.ok(digests.includes(sbom));
  await clients.regctl(target.host, ['artifact', 'get', `${place}@${sbom}`]);

  for (const [file, flags] of [
    ['none.tgz', []],
    ['all.tgz', ['--no-referrers']],
  ] as const) {
    const bare = await unwrap(file, `bare-${file.split('.')[0] ?? ''}`, ...flags);
    assert.equal(await clients.digest(`${bare}:1`), image.digest);
    assert.deepEqual(await clients.tags(bare), ['1']);
    assert.deepEqual(await clients.referrers(`${bare}@${image.digest}`), []);
  }
});

async function pushSignedImage(
  { source, clients, sandbox }: FidelitySite,
  cosign: NonNullable<Awaited<ReturnType<typeof createCosign>>>,
): Promise<{ image: PushedImage; sbom: string }> {
  const image = await pushImage(source.host, 'team/app:1');
  const subject = `${source.host}/team/app@${image.digest}`;
  await cosign.sign(subject, 'classic');
  await cosign.attest(subject);
  const content = join(sandbox.home, 'sbom.json');
  await writeFile(content, '{"bomFormat":"CycloneDX"}');
  const sbom = await clients.regctl(source.host, [
    ...['artifact', 'put', '--artifact-type', 'application/vnd.cyclonedx+json', '--subject', subject],
    ...['--file', content, '--format', '{{ .Manifest.GetDescriptor.Digest }}'],
  ]);
  assert.ok((await clients.digest(`${source.host}/team/app:${attachedTag(image.digest, 'sig')}`)) !== undefined);
  return { image, sbom: sbom.trim() };
}

test('a wrong file or place is refused with its code, and nothing is sent', async (t) => {
  const site = await openFidelitySite(t, EMBEDDED);
  if (site === undefined) return;
  const { sandbox, source } = site;
  const target = `${site.target.host}/m`;
  await pushImage(source.host, 'team/app:1');
  await sandbox.runOk(['images', 'wrap', `${source.host}/team/app:1`]);
  await writeFile(join(sandbox.work, 'Chart.yaml'), chartYaml(source.host));
  await sandbox.runOk(['wrap', '.', '--output-file', 'chart.tgz']);
  await writeFile(join(sandbox.work, 'text.tgz'), 'not an archive\n');
  await writeFile(join(sandbox.work, 'cut.tgz'), (await readFile(join(sandbox.work, WRAP_FILE))).subarray(0, -10));
  const before = [...(await readdir(sandbox.work))].sort();
  const cases: readonly (readonly [args: readonly string[], exit: number, code: string])[] = [
    [['images', 'unwrap', 'chart.tgz', target, '--yes'], 2, 'DT_USAGE'],
    [['unwrap', WRAP_FILE, target, '--yes'], 2, 'DT_USAGE'],
    [['images', 'unwrap', 'missing.tgz', target, '--yes'], 1, 'DT_FILE_NOT_FOUND'],
    [['images', 'unwrap', 'text.tgz', target, '--yes'], 3, 'DT_WRAP_INVALID'],
    [['images', 'unwrap', 'cut.tgz', target, '--yes'], 3, 'DT_WRAP_TRUNCATED'],
    [['images', 'unwrap', WRAP_FILE, `${site.target.host}/UPPER`, '--yes'], 2, 'DT_BAD_PREFIX'],
    [['images', 'unwrap', WRAP_FILE, `https://${target}`, '--yes'], 2, 'DT_BAD_PREFIX'],
    [['images', 'unwrap', WRAP_FILE], 2, 'DT_USAGE'],
    [['images', 'wrap', `${source.host}/UPPER/app:1`], 2, 'DT_BAD_REFERENCE'],
    [['images', 'wrap', `${source.host}/team/app:2`], 5, 'DT_NOT_FOUND'],
    [['images', 'wrap', `${source.host}/team/app:1`, '--platforms', 'linux/s390x'], 1, 'DT_PLATFORM_NOT_FOUND'],
    [['images', 'wrap', `${source.host}/team/app:1`, '--platforms', 'linux'], 2, 'DT_BAD_PLATFORM'],
    [['images', 'wrap', `${source.host}/team/app:1`, '--output-file', ''], 2, 'DT_USAGE'],
  ];
  for (const [args, exit, code] of cases) {
    const result = await sandbox.run(args);
    const told = `dt ${args.join(' ')}\n${result.stdout}${result.stderr}`;
    assert.equal(result.code, exit, told);
    assert.match(result.stderr, new RegExp(`Code: ${code}\n`), told);
    assert.equal(result.stdout, '', told);
    assert.deepEqual((await readdir(sandbox.work)).sort(), before, told);
    assert.deepEqual(await sandbox.listTemporary(), [], told);
  }
  assert.deepEqual(await listTags(site.target.host), new Map());
});

const chartYaml = (host: string): string =>
  `apiVersion: v2\nname: c\nversion: 1.0.0\nannotations:\n  images: |\n    - {name: app, image: "${host}/team/app:1"}\n`;

test('without --yes the answer comes from standard input, and its end is a no', async (t) => {
  const site = await openFidelitySite(t, EMBEDDED);
  if (site === undefined) return;
  const { sandbox, source, target, clients } = site;
  const image = await pushImage(source.host, 'team/app:1');
  await sandbox.runOk(['images', 'wrap', `${source.host}/team/app:1`]);
  const args = ['images', 'unwrap', WRAP_FILE, `${target.host}/m`];
  for (const stdin of ['', '\n', 'n\n']) {
    assert.match(await sandbox.runOk(args, { stdin }), /Nothing was pushed\..*--yes/);
    const { pushed } = JSON.parse(await sandbox.runOk([...args, '--json'], { stdin })) as { pushed: boolean };
    assert.equal(pushed, false);
    assert.deepEqual(await listTags(target.host), new Map());
  }
  await sandbox.runOk(args, { stdin: 'y\n' });
  assert.equal(await clients.digest(`${target.host}/m/app:1`), image.digest);

  await pushImage(target.host, 'm/app:1', { seed: 'theirs' });
  const refused = await sandbox.run([...args, '--yes', '--no-overwrite']);
  assert.notEqual(refused.code, 0);
  assert.notEqual(await clients.digest(`${target.host}/m/app:1`), image.digest);
});

test('info and --json tell what a container wrap has and what became of it', async (t) => {
  const site = await openFidelitySite(t, EMBEDDED);
  if (site === undefined) return;
  const { sandbox, source, target } = site;
  const image = await pushImage(source.host, 'team/app:1');
  const reference = `${source.host}/team/app:1`;
  const platforms = image.manifests.map(({ digest, platform }) => ({ digest, platform }));
  const { sizeBytes, ...wrapped } = await runJson(site, ['images', 'wrap', reference]);
  assert.ok(Number(sizeBytes) > image.totalBytes);
  assert.deepEqual(wrapped, { file: WRAP_FILE, images: [{ reference, platforms, attachedCount: 0 }] });

  const information = await runJson(site, ['info', WRAP_FILE]);
  assert.deepEqual(Object.keys(information), ['file', 'sizeBytes', 'charts', 'images', 'locks', 'contents']);
  const { kind, charts, images } = information['contents'] as Record<string, unknown>;
  assert.deepEqual({ kind, charts }, { kind: 'container', charts: [] });
  assert.deepEqual(images, [
    {
      chart: '',
      name: 'app',
      reference,
      digest: image.digest,
      platforms,
    },
  ]);
  assert.deepEqual(information['images'], [
    { name: 'app', reference, digest: image.digest, platforms, attachedCount: 0 },
  ]);
  const lockText = (await readArchiveFiles(join(sandbox.work, WRAP_FILE))).get('Images.lock')?.toString() ?? '';
  assert.equal((await sandbox.runOk(['info', WRAP_FILE, '--yaml'])).trimEnd(), lockText.trimEnd());
  const detailed = await sandbox.runOk(['info', WRAP_FILE, '--detailed']);
  for (const { digest } of image.manifests) assert.ok(detailed.includes(digest), detailed);

  const pushed = await runJson(site, ['images', 'unwrap', WRAP_FILE, `${target.host}/m`, '--yes']);
  assert.deepEqual(pushed['images'], [
    { reference, target: `${target.host}/m/app:1`, digest: image.digest, platforms, attachedCount: 0 },
  ]);
  assert.equal(pushed['pushed'], true);
  const again = await runJson(site, ['images', 'unwrap', WRAP_FILE, `${target.host}/m`, '--yes']);
  const { presentImages, pushedImages, sentBytes } = again['summary'] as Record<string, number>;
  assert.deepEqual({ presentImages, pushedImages, sentBytes }, { presentImages: 1, pushedImages: 0, sentBytes: 0 });
});

test('--compat stores whole copies in the layouts of platforms, for readers that know no links', async (t) => {
  const site = await openFidelitySite(t, EMBEDDED);
  if (site === undefined) return;
  const { sandbox, source, target, clients } = site;
  const image = await pushImage(source.host, 'team/app:1', { layerBytes: LARGE_LAYER_BYTES, sharedLayers: 1 });
  const reference = `${source.host}/team/app:1`;
  const linked = await sandbox.run(['images', 'wrap', reference, '--output-file', 'linked.tgz']);
  assert.match(linked.stderr, /Warning: .*--compat/);
  assert.ok((await readArchive(join(sandbox.work, 'linked.tgz'))).some(({ type }) => type === 'link'));

  const compatible = await sandbox.run(['images', 'wrap', reference, '--compat', '--output-file', 'whole.tgz']);
  assert.equal(compatible.code, 0, compatible.stderr);
  assert.doesNotMatch(compatible.stderr, /Warning/);
  const entries = await readArchive(join(sandbox.work, 'whole.tgz'));
  assert.ok(entries.every(({ type }) => type === 'file' || type === 'directory'));
  const names = new Set(entries.map(({ name }) => name));
  for (const { digest, config, layers } of image.manifests) {
    const layout = `app-1/images/${digestHex(digest)}.layout`;
    for (const needed of ['index.json', 'oci-layout', ...[digest, config, ...layers].map(toBlobPath)]) {
      assert.ok(names.has(`${layout}/${needed}`), `${layout}/${needed}`);
    }
  }
  await sandbox.runOk(['images', 'unwrap', 'whole.tgz', `${target.host}/m`, '--yes']);
  assert.equal(await clients.digest(`${target.host}/m/app:1`), image.digest);
  await clients.validate(`${target.host}/m/app:1`);
});

const toBlobPath = (digest: Digest): string => `blobs/sha256/${digestHex(digest)}`;

async function runJson({ sandbox }: FidelitySite, args: readonly string[]): Promise<Record<string, unknown>> {
  return JSON.parse(await sandbox.runOk([...args, '--json'])) as Record<string, unknown>;
}

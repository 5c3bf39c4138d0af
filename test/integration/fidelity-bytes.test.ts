import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  MEDIA_TYPE_DOCKER_INDEX,
  MEDIA_TYPE_DOCKER_MANIFEST,
  MEDIA_TYPE_EMPTY_CONFIG,
  MEDIA_TYPE_OCI_CONFIG,
} from '../../src/domain/oci/media-types.ts';
import { EMBEDDED, openFidelitySite, TARGET_KINDS, writeImageChart } from '../support/fidelity-site.ts';
import { assertIdentical } from '../support/foreign-clients.ts';
import { pushBlob, pushImage, randomBytesOf } from '../support/images.ts';
import {
  pushRawConfig,
  pushRawImage,
  pushRawIndex,
  pushRawLayer,
  pushSha512Blob,
  type RawRepository,
} from '../support/raw-images.ts';

const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json';
const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
const LAYER = 'application/vnd.oci.image.layer.v1.tar';
const platformOf = (text: string): object => {
  const [os, architecture, variant] = text.split('/');
  return { os, architecture, variant };
};

/** Puts something under the tag `1` of a repository. `isImage` where a client can run what is there. */
interface Row {
  readonly name: string;
  readonly push: (place: RawRepository) => Promise<unknown>;
  readonly isImage?: boolean;
}

const ROWS: readonly Row[] = [
  {
    name: 'oci-index',
    isImage: true,
    push: async ({ host, repository }) => pushImage(host, `${repository}:1`),
  },
  {
    name: 'docker-list',
    isImage: true,
    push: async ({ host, repository }) => pushImage(host, `${repository}:1`, { docker: true }),
  },
  {
    name: 'single',
    isImage: true,
    push: async ({ host, repository }) => pushImage(host, `${repository}:1`, { platforms: ['linux/arm64'] }),
  },
  {
    name: 'docker-single',
    isImage: true,
    push: async ({ host, repository }) =>
      pushImage(host, `${repository}:1`, { platforms: ['linux/arm/v7'], docker: true }),
  },
  {
    name: 'index-of-one',
    isImage: true,
    push: async ({ host, repository }) =>
      pushImage(host, `${repository}:1`, { platforms: ['linux/amd64'], index: true }),
  },
  {
    name: 'index-in-index',
    push: async (place) => {
      const [amd, arm] = [await pushRawImage(place), await pushRawImage(place, { platform: 'linux/arm/v7' })];
      const inner = await pushRawIndex(place, [{ ...amd, platform: platformOf('linux/amd64') }]);
      const middle = await pushRawIndex(place, [inner, { ...arm, platform: platformOf('linux/arm/v7') }]);
      await pushRawIndex(place, [middle, { ...amd, platform: platformOf('linux/amd64') }], { tag: '1' });
    },
  },
  {
    name: 'mixed-types',
    push: async (place) => {
      const layer = { ...(await pushRawLayer(place, 'gzip', 'docker')), mediaType: DOCKER_LAYER };
      const config = { ...(await pushRawConfig(place, 'linux/amd64')), mediaType: DOCKER_CONFIG };
      const docker = await pushRawImage(place, { mediaType: MEDIA_TYPE_DOCKER_MANIFEST, layers: [layer], config });
      const oci = await pushRawImage(place, { platform: 'linux/arm64' });
      const children = [
        { ...docker, platform: platformOf('linux/amd64') },
        { ...oci, platform: platformOf('linux/arm64') },
      ];
      await pushRawIndex(place, children, { tag: '1' });
      await pushRawIndex(place, children, { tag: '2', mediaType: MEDIA_TYPE_DOCKER_INDEX });
    },
  },
  { name: 'artifact', push: async (place) => pushArtifact(place, '1') },
  {
    name: 'artifact-in-index',
    push: async (place) => {
      const image = await pushRawImage(place);
      const children = [{ ...image, platform: platformOf('linux/amd64') }, await pushArtifact(place)];
      await pushRawIndex(place, children, { tag: '1' });
    },
  },
  {
    name: 'layer-types',
    push: async (place) => {
      const zstd = await pushRawLayer(place, 'zstd', 'zstd');
      const plain = await pushRawLayer(place, 'none', 'plain');
      const large = await pushBlob(place.host, place.repository, randomBytesOf('large', 200_000), LAYER);
      await pushRawImage(place, { layers: [zstd, plain, large, plain], tag: '1' });
    },
  },
  {
    name: 'empty-blobs',
    push: async (place) => {
      const { host, repository } = place;
      const empty = await pushBlob(host, repository, Buffer.alloc(0), LAYER);
      const config = await pushBlob(host, repository, Buffer.from('{}'), MEDIA_TYPE_EMPTY_CONFIG);
      await pushRawImage(place, { layers: [empty, config], config, tag: '1' });
      await pushRawImage(place, { layers: [], tag: 'no-layers' });
    },
  },
  {
    name: 'odd-texts',
    push: async (place) => {
      const fields = { 'x-unknown': [1, { two: null }], annotations: { 'org.example/ü': '\u2028 "quoted" 😀' } };
      const format = (document: object): string => {
        const reversed = Object.fromEntries(Object.entries(document).reverse());
        return `\n\t ${JSON.stringify(reversed, null, 3).replaceAll('/', '\\/')}\r\n \n`;
      };
      const image = await pushRawImage(place, { fields, format });
      const child = { 'x-first': true, ...image, platform: { ...platformOf('linux/amd64'), 'x-platform': 1 } };
      await pushRawIndex(place, [child], { fields, format, tag: '1' });
      // OCI lets manifests go without a media type of their own.
      await pushRawImage(place, { tag: 'untyped', fields: { mediaType: undefined } });
    },
  },
  {
    name: 'child-twice',
    push: async (place) => {
      const image = await pushRawImage(place);
      const children = ['linux/amd64', 'linux/386'].map((platform) => ({ ...image, platform: platformOf(platform) }));
      await pushRawIndex(place, children, { tag: '1' });
    },
  },
  {
    name: 'sha512-blobs',
    push: async (place) => {
      const layers = [
        await pushSha512Blob(place, randomBytesOf('small', 1000), LAYER),
        await pushSha512Blob(place, randomBytesOf('large', 100_000), LAYER),
      ];
      const text = JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] } });
      const config = await pushSha512Blob(place, Buffer.from(text), MEDIA_TYPE_OCI_CONFIG);
      await pushRawImage(place, { layers, config, tag: '1' });
    },
  },
];

const RUNS = [
  ...TARGET_KINDS.map((kind) => ({ kind, flags: [] })),
  // Where content lies in the wrap is another matter than where it goes.
  { kind: EMBEDDED, flags: ['--compat'] },
];
for (const { kind, flags } of RUNS) {
  test(`every kind of content has its digest and its bytes in ${[kind.name, ...flags].join(' with ')}`, async (t) => {
    const site = await openFidelitySite(t, kind);
    if (site === undefined) return;
    const { sandbox, source, target, clients } = site;
    const images: string[] = [];
    for (const { name, push } of ROWS) {
      await push({ host: source.host, repository: `rows/${name}` });
      const tags = await clients.tags(`${source.host}/rows/${name}`);
      for (const tag of tags) images.push(`${source.host}/rows/${name}:${tag}`);
    }
    await writeImageChart(sandbox, { images });
    await sandbox.runOk(['wrap', 'kinds', '--output-file', 'w.tgz', ...flags]);
    const said = await sandbox.run(['unwrap', 'w.tgz', `${target.host}/m`, '--yes']);
    assert.equal(said.code, 0, said.stderr);
    const count = String(images.length);
    assert.ok(said.stderr.includes(`${count} images, ${count} digests identical`), said.stderr);
    for (const { name, isImage } of ROWS) {
      await t.test(name, async () => {
        const [from, to] = [`${source.host}/rows/${name}`, `${target.host}/m/rows/${name}`];
        const tags = await clients.tags(from);
        assert.deepEqual(await clients.tags(to), tags);
        for (const tag of tags) await assertIdentical(clients, from, to, tag);
        if (isImage === true) await clients.validate(`${to}:1`);
      });
    }
  });
}

/** A manifest whose config is nothing that a container engine knows. */
async function pushArtifact(place: RawRepository, tag?: string): Promise<object> {
  const { host, repository } = place;
  const config = await pushBlob(host, repository, Buffer.from('{"any":1}'), 'application/vnd.example.config.v3+json');
  const layers = [await pushBlob(host, repository, Buffer.from('anything'), 'text/plain')];
  const fields = { artifactType: 'application/vnd.example.thing' };
  return pushRawImage(place, { config, layers, fields, ...(tag === undefined ? {} : { tag }) });
}

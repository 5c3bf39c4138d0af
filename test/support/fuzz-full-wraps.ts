import { gzipSync } from 'node:zlib';
import { deflateMember } from '../../src/archive/gzip-member.ts';
import { digestHex, digestOf } from '../../src/domain/oci/digest.ts';
import { MEDIA_TYPE_OCI_MANIFEST } from '../../src/domain/oci/media-types.ts';
import { forgeDocument, rebuild, withMember } from './fuzz-bomb-parts.ts';
import { joinMembers, takeMembers } from './fuzz-members.ts';
import type { FuzzSeed } from './fuzz-seeds.ts';
import { piece, tarOf, type WrapPiece } from './hostile-wraps.ts';

const MIB = 1024 * 1024;
const END_OF_ARCHIVE = Buffer.alloc(1024);
const MANIFEST_BYTES = 60_000;
const MANIFESTS_PER_MEMBER = 16;

/** The wrap with these tar entries among its links. */
export async function withLinks(seed: FuzzSeed, moreLinks: Buffer): Promise<Buffer> {
  return seed.isForeign
    ? withMember(seed, gzipSync(moreLinks))
    : joinMembers(await takeMembers(seed.wrap), { moreLinks });
}

/** The wrap with some mebibytes of zeros in its chart, and in the archive that the chart is said to have come as. */
export async function withFullChart(seed: FuzzSeed, mebibytes: number): Promise<Buffer> {
  const zeros = Buffer.alloc(MIB - 2_048);
  const names = Array.from({ length: mebibytes }, (_, index) => `chart/full/${String(index)}`);
  const members = [];
  for (const name of names) members.push(deflateMember(await tarOf([piece(`demo-1.2.3/${name}`, zeros)])));
  if (seed.isForeign) return withMember(seed, ...members);
  const isChartFile = ({ header }: WrapPiece): boolean => /^demo-1\.2\.3\/chart\/[^/]+$/.test(header.name);
  const packed = [...seed.pieces.filter(isChartFile), ...names.map((name) => piece(`demo-1.2.3/${name}`, zeros))];
  const renamed = packed.map((item) => ({
    ...item,
    header: { ...item.header, name: item.header.name.replace('demo-1.2.3/chart/', 'demo/') },
  }));
  const archive = gzipSync(Buffer.concat([await tarOf(renamed), END_OF_ARCHIVE]), { level: 1 });
  const [digest, path] = [digestOf(archive), 'demo-1.2.3/artifacts/chart/full.tgz'];
  const pieces = [...seed.pieces, piece(path, archive)];
  const wrap = await forgeDocument({ ...seed, pieces }, (document) => {
    const [chart] = document['charts'] as Record<string, unknown>[];
    if (chart !== undefined) chart['archive'] = digest;
    (document['blobs'] as object[]).push({ digest, size: archive.length, mediaType: 'application/x-tar', path });
  });
  return withMember({ ...seed, wrap }, ...members);
}

/** The wrap with that many manifests of 60 kB attached to its first image. */
export async function withManifests(seed: FuzzSeed, count: number): Promise<Buffer> {
  if (seed.isForeign) return rebuild(seed, seed.pieces);
  const manifests = Array.from({ length: count }, (_, index) => {
    const annotations = { index: String(index), padding: 'x'.repeat(MANIFEST_BYTES) };
    const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf('{}'), size: 2 };
    const document = { schemaVersion: 2, mediaType: MEDIA_TYPE_OCI_MANIFEST, config, layers: [], annotations };
    return Buffer.from(JSON.stringify(document));
  });
  const blobs = manifests.map((bytes) => {
    const digest = digestOf(bytes);
    const path = `demo-1.2.3/images/${digestHex(digest)}.layout/blobs/sha256/${digestHex(digest)}`;
    return { bytes, listed: { digest, size: bytes.length, mediaType: MEDIA_TYPE_OCI_MANIFEST, path } };
  });
  const empty = Buffer.from('{}');
  const emptyPath = 'demo-1.2.3/images/empty';
  const wrap = await forgeDocument({ ...seed, pieces: [...seed.pieces, piece(emptyPath, empty)] }, (document) => {
    const [image] = document['images'] as Record<string, unknown>[];
    const subject = image?.['digest'];
    if (image === undefined || subject === undefined) return;
    image['attached'] = blobs.map(({ listed: { digest } }) => ({ subject, digest }));
    (document['blobs'] as object[]).push(
      { digest: digestOf(empty), size: 2, mediaType: 'application/vnd.oci.empty.v1+json', path: emptyPath },
      ...blobs.map(({ listed }) => listed),
    );
  });
  const members = [];
  for (let start = 0; start < blobs.length; start += MANIFESTS_PER_MEMBER) {
    const group = blobs.slice(start, start + MANIFESTS_PER_MEMBER);
    members.push(deflateMember(await tarOf(group.map(({ bytes, listed }) => piece(listed.path, bytes)))));
  }
  return withMember({ ...seed, wrap }, ...members);
}

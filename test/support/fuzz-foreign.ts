import { gzipSync } from 'node:zlib';
import type { FuzzSeed } from './fuzz-seeds.ts';
import { piece, tarOf, type WrapPiece } from './hostile-wraps.ts';

const END_OF_ARCHIVE = Buffer.alloc(1024);

/** As the Go tool writes them: nothing of ours, no layouts of indexes, artifacts by name. */
export async function makeForeign(
  name: string,
  pieces: readonly WrapPiece[],
  kind: 'chart' | 'container',
): Promise<FuzzSeed> {
  const inner = (path: string): string => path.slice(path.indexOf('/') + 1);
  const files = pieces.filter(({ header }) => header.type !== 'link' && !inner(header.name).startsWith('.dt/'));
  const metadata = files
    .filter(({ header }) => /\/artifacts\/images\/.*\.metadata(?:\.sig)?\//.test(header.name))
    .map((item) =>
      piece(item.header.name.replace(/artifacts\/images\/.*?\.metadata/, 'artifacts/chart/metadata'), item.content),
    );
  const lock = files.find(({ header }) => inner(header.name) === 'chart/Images.lock');
  const kept =
    kind === 'chart'
      ? [...files, ...metadata]
      : [
          piece('multi-1.0/Images.lock', lock?.content ?? ''),
          ...files.filter(({ header }) => !inner(header.name).startsWith('chart')),
        ];
  const renamed = kept.map((item) => ({
    ...item,
    header: { ...item.header, name: item.header.name.replace(/^[^/]+/, kind === 'chart' ? 'demo-1.2.3' : 'multi-1.0') },
  }));
  const wrap = gzipSync(Buffer.concat([await tarOf(renamed), END_OF_ARCHIVE]));
  return { name, wrap, pieces: renamed, isForeign: true, isLight: false };
}

import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack, type Header } from 'tar-stream';

export type HostileEntry = Partial<Header> & Pick<Header, 'name'> & { readonly content?: string | Buffer };

const HARMLESS: readonly HostileEntry[] = [
  { name: 'c/Chart.yaml', content: 'apiVersion: v2\nname: c\nversion: 1.0.0\n' },
];

/** A tar with exactly these headers, however bad they are. */
export async function makeTar(entries: readonly HostileEntry[]): Promise<Buffer> {
  const packer = pack();
  for (const { content, ...header } of entries) {
    if (content === undefined) packer.entry({ mtime: new Date(0), ...header });
    else packer.entry({ mtime: new Date(0), ...header }, content);
  }
  packer.finalize();
  return buffer(packer);
}

/** A packaged chart that is fine but for the given entries. */
export async function makeHostileChart(...entries: HostileEntry[]): Promise<Buffer> {
  return gzipSync(await makeTar([...HARMLESS, ...entries]));
}

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { digestHex, digestOf } from '../../src/domain/oci/digest.ts';
import type { ErrorCode } from '../../src/domain/errors.ts';
import type { WrapDocument } from '../../src/domain/wrap/wrap-document.ts';
import type { RunContext } from '../../src/workflows/context.ts';
import { openWrap } from '../../src/workflows/opening/open-wrap.ts';
import type { OpenedWrap } from '../../src/workflows/opening/opened-wrap.ts';
import { prepareUnwrap } from '../../src/workflows/unwrapping/prepare-unwrap.ts';
import { getFuzzSeed } from './fuzz-seeds.ts';
import { assembleWrap, createTestContext, editEntry, tarOf, withFolder, type WrapPiece } from './hostile-wraps.ts';

type Mutable<T> = T extends string | number | boolean | undefined
  ? T
  : T extends readonly (infer Item)[]
    ? Mutable<Item>[]
    : { -readonly [Key in keyof T]: Mutable<T[Key]> };

/** `.dt/wrap.json`, open to lies. */
export type ForgedDocument = Mutable<WrapDocument>;

const END_OF_ARCHIVE = Buffer.alloc(1024);

/** The wrap of this name with its wrap.json edited, and with the entries that the edit returns. */
export async function forgeWrap(
  name: string,
  edit: (document: ForgedDocument, pieces: readonly WrapPiece[]) => readonly WrapPiece[] | undefined,
): Promise<Buffer> {
  const { pieces } = await getFuzzSeed(name);
  const text = pieces.find(({ header }) => header.name.endsWith('/.dt/wrap.json'))?.content.toString() ?? '';
  const document = JSON.parse(text) as ForgedDocument;
  const edited = edit(document, pieces) ?? pieces;
  return assembleWrap(editEntry(edited, '/.dt/wrap.json', () => JSON.stringify(document)));
}

/** A wrap as the Go tool writes it, with its entries edited. */
export async function forgeForeign(
  name: string,
  edit: (pieces: readonly WrapPiece[]) => readonly WrapPiece[],
): Promise<Buffer> {
  const { pieces } = await getFuzzSeed(name);
  return gzipSync(Buffer.concat([await tarOf(edit(pieces)), END_OF_ARCHIVE]));
}

/** Other bytes in place of a blob, named by their own digest wherever the document names the old one. */
export function replaceBlob(
  document: ForgedDocument,
  pieces: readonly WrapPiece[],
  digest: string,
  edit: (content: Buffer) => Buffer,
): WrapPiece[] {
  const path = document.blobs.find((item) => item.digest === digest)?.path;
  const content = edit(
    pieces.find(({ header }) => header.name === path)?.content ?? assert.fail(`${digest} is not there`),
  );
  const [from, to] = [digest.slice('sha256:'.length), digestHex(digestOf(content))];
  Object.assign(document, JSON.parse(JSON.stringify(document).replaceAll(from, to)));
  const renamed = document.blobs.find((item) => item.digest === `sha256:${to}`) ?? assert.fail();
  renamed.size = content.length;
  return pieces.map((item) => ({
    header: { ...item.header, name: item.header.name.replaceAll(from, to) },
    content: item.header.name === path ? content : item.content,
  }));
}

/** Opens a wrap and closes it afterwards. */
export async function withOpened<T>(
  wrap: Buffer,
  run: (opened: OpenedWrap, context: RunContext) => Promise<T>,
): Promise<T> {
  return withFolder(async (folder) => {
    const file = join(folder, 'forged.wrap.tgz');
    await writeFile(file, wrap);
    const context = await createTestContext();
    const opened = await openWrap(file, context);
    try {
      return await run(opened, context);
    } finally {
      await opened.close();
    }
  });
}

/** What unwrap does before it asks a registry must fail with this code when the chart is kept as it is. */
export async function assertKeepRefused(wrap: Buffer, code: ErrorCode): Promise<void> {
  await withFolder(async (folder) => {
    const file = join(folder, 'forged.wrap.tgz');
    await writeFile(file, wrap);
    const source = {
      file,
      prefix: 'target.example.com/x',
      valuesFiles: [],
      skipImages: false,
      chartMode: 'keep' as const,
    };
    await assert.rejects(prepareUnwrap(source, await createTestContext()), { code });
  });
}

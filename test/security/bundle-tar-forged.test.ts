import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { digestOf } from '../../src/domain/oci/digest.ts';
import { pushImage } from '../support/images.ts';
import { listTags } from '../support/registry-content.ts';
import { startEmbeddedRegistry, type EmbeddedRegistry } from '../support/registries.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { makeTar, type HostileEntry } from './hostile-tar.ts';
import { extract } from 'tar-stream';
import { buffer } from 'node:stream/consumers';

interface Forgery {
  readonly sandbox: Sandbox;
  readonly target: EmbeddedRegistry;
  readonly entries: readonly { readonly name: string; readonly content: Buffer }[];
}

/** The entries of an honest tar of one image. */
async function prepare(t: TestContext): Promise<Forgery> {
  const sandbox = await createSandbox(t);
  const [source, target] = await Promise.all([startEmbeddedRegistry(), startEmbeddedRegistry()]);
  t.after(async () => Promise.all([source.close(), target.close()]));
  await pushImage(source.host, 'app:1', { platforms: ['linux/amd64'] });
  await sandbox.runOk(['bundle', 'copy', '-i', `${source.host}/app:1`, '--to-tar', 'honest.tar']);
  const archive = extract();
  archive.end(await readFile(join(sandbox.work, 'honest.tar')));
  const entries: { name: string; content: Buffer }[] = [];
  for await (const entry of archive) entries.push({ name: entry.header.name, content: await buffer(entry) });
  return { sandbox, target, entries };
}

async function assertRefused(
  { sandbox, target }: Forgery,
  entries: readonly HostileEntry[],
  code: string,
): Promise<void> {
  await writeFile(join(sandbox.work, 'forged.tar'), await makeTar(entries));
  const result = await sandbox.run(['bundle', 'copy', '--tar', 'forged.tar', '--to-repo', `${target.host}/x`]);
  assert.match(result.stderr, new RegExp(`Code: ${code}\\b`), result.stderr);
  assert.equal(result.code, 3, result.stderr);
  assert.deepEqual([...(await listTags(target.host))], [], 'nothing that can be pulled');
}

test('the honest tar is taken', async (t) => {
  const { sandbox, target, entries } = await prepare(t);
  await writeFile(join(sandbox.work, 'same.tar'), await makeTar(entries));
  await sandbox.runOk(['bundle', 'copy', '--tar', 'same.tar', '--to-repo', `${target.host}/x`]);
});

test('a layer with other bytes under its name is refused', async (t) => {
  const forgery = await prepare(t);
  const changed = forgery.entries.map(({ name, content }) => {
    const copy = Buffer.from(content);
    if (name.startsWith('sha256-')) copy.writeUInt8(copy.readUInt8(20) ^ 1, 20);
    return { name, content: copy };
  });
  await assertRefused(forgery, changed, 'DT_DIGEST_MISMATCH');
});

test('a layer of another size is refused, and one that is missing', async (t) => {
  const forgery = await prepare(t);
  const longer = forgery.entries.map(({ name, content }) => ({
    name,
    content: name.startsWith('sha256-') ? Buffer.concat([content, Buffer.from('x')]) : content,
  }));
  await assertRefused(forgery, longer, 'DT_SIZE_MISMATCH');
  await assertRefused(forgery, forgery.entries.slice(0, 1), 'DT_WRAP_INCOMPLETE');
});

test('a manifest or config that is not what its digest says is refused', async (t) => {
  const forgery = await prepare(t);
  for (const [from, to] of [
    ['\\"schemaVersion\\":2', '\\"schemaVersion\\": 2'],
    ['\\"architecture\\"', '\\"Architecture\\"'],
  ] as const) {
    const forged = forgery.entries.map(({ name, content }) =>
      name === 'manifest.json' ? { name, content: content.toString().replace(from, to) } : { name, content },
    );
    assert.notEqual(forged[0]?.content.toString(), forgery.entries[0]?.content.toString());
    await assertRefused(forgery, forged, 'DT_DIGEST_MISMATCH');
  }
});

test('a reference with another digest, a tag that is none, and endless nesting are refused', async (t) => {
  const forgery = await prepare(t);
  const [first] = forgery.entries;
  const [item] = JSON.parse(first?.content.toString() ?? '') as [{ Image: Record<string, unknown> }];
  const write = (image: unknown): HostileEntry[] => [
    { name: 'manifest.json', content: JSON.stringify([image]) },
    ...forgery.entries.slice(1),
  ];
  const { Image } = item;
  const other = `registry.example/x@${digestOf('other')}`;
  await assertRefused(forgery, write({ ImageIndex: null, Image: { ...Image, Refs: [other] } }), 'DT_WRAP_INVALID');
  await assertRefused(forgery, write({ ImageIndex: null, Image: { ...Image, Tag: '../x' } }), 'DT_WRAP_INVALID');
  let index: object = { Images: [Image] };
  for (let depth = 0; depth < 100; depth++) index = { Indexes: [index] };
  await assertRefused(forgery, write({ ImageIndex: index, Image: null }), 'DT_WRAP_INVALID');
});

test('links, dangerous names and names that come twice are refused', async (t) => {
  const forgery = await prepare(t);
  const { entries } = forgery;
  const [first = { name: '', content: Buffer.alloc(0) }] = entries;
  await assertRefused(
    forgery,
    [...entries, { name: 'x', type: 'symlink', linkname: '/etc/passwd' }],
    'DT_UNSAFE_ENTRY',
  );
  await assertRefused(forgery, [...entries, { name: '../x', content: 'x' }], 'DT_UNSAFE_ENTRY');
  await assertRefused(forgery, [...entries, first], 'DT_UNSAFE_ENTRY');
});

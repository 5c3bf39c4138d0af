import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { Descriptor } from '../../../src/domain/oci/descriptor.ts';
import { makeTar, type HostileEntry } from '../../security/hostile-tar.ts';
import { pushBlob } from '../../support/images.ts';
import { pushRawImage } from '../../support/raw-images.ts';
import { startEmbeddedRegistry } from '../../support/registries.ts';
import { createSandbox } from '../../support/sandbox.ts';

const LAYER = 'application/vnd.oci.image.layer.v1.tar';

test('upper layers win over lower ones, whatever they are compressed with', async (t) => {
  const sandbox = await createSandbox(t);
  const registry = await startEmbeddedRegistry();
  t.after(async () => registry.close());
  const push = async (pack: (tar: Buffer) => Buffer, entries: readonly HostileEntry[]): Promise<Descriptor> =>
    pushBlob(registry.host, 'files', pack(await makeTar(entries)), LAYER);
  const layers = [
    await push(gzipSync, [
      { name: 'both', content: 'lower' },
      { name: 'gone', content: 'lower' },
      { name: 'folder/gone', content: 'lower' },
      { name: 'opaque/lower', content: 'lower' },
      { name: 'run', mode: 0o755, content: 'lower' },
      { name: 'mine', mode: 0o600, content: 'lower' },
    ]),
    await push(zstdCompressSync, [
      { name: './both', content: 'upper' },
      { name: '.wh.gone', content: '' },
      { name: '.wh.folder', content: '' },
      { name: 'opaque/.wh..wh..opq', content: '' },
      { name: 'opaque/upper', content: 'upper' },
    ]),
    await push((tar) => tar, [{ name: 'top', content: 'top' }]),
  ];
  await pushRawImage({ host: registry.host, repository: 'files' }, { layers, tag: '1' });
  await sandbox.runOk(['bundle', 'pull', '-i', `${registry.host}/files:1`, '-o', 'out']);
  const out = join(sandbox.work, 'out');
  const files = (await readdir(out, { recursive: true })).sort();
  assert.deepEqual(files, ['both', 'mine', 'opaque', 'opaque/upper', 'run', 'top']);
  assert.equal(await readFile(join(out, 'both'), 'utf8'), 'upper');
  const modes = await Promise.all(['run', 'mine'].map(async (name) => (await stat(join(out, name))).mode & 0o777));
  assert.deepEqual(modes, [0o755, 0o644], 'what only its owner may do, all may, as far as the umask lets them');
  assert.equal((await stat(join(out, 'run'))).mtimeMs, 0);
});

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  editJson,
  assembleWrap,
  editEntry,
  makeHonestWrap,
  piece,
  takeApart,
  type WrapPiece,
} from '../support/hostile-wraps.ts';
import { packArchive } from '../support/archives.ts';
import { pushChart } from '../support/images.ts';
import { assertDamaged, verifyBytes, withSource } from '../support/verify-wrap.ts';

async function wrapPackaged(): Promise<WrapPiece[]> {
  return withSource(async (source) => {
    const chart = {
      'demo/Chart.yaml': (await readFile(join(source.folder, 'demo/Chart.yaml'))).toString(),
      'demo/templates/pod.yaml': 'kind: Pod\n',
    };
    await writeFile(join(source.folder, 'demo-1.2.3.tgz'), await packArchive(chart));
    return takeApart(await source.wrap({ sources: [{ location: join(source.folder, 'demo-1.2.3.tgz') }] }));
  });
}

test('a chart file that is not the one of the archive is found', async () => {
  const pieces = await wrapPackaged();
  await verifyBytes(await assembleWrap(pieces));
  const edited = editEntry(pieces, '/chart/templates/pod.yaml', () => 'kind: Job\n');
  await assertDamaged(await assembleWrap(edited), { code: 'DT_WRAP_INVALID', entry: '/chart/templates/pod.yaml' });
});

test('a chart file that is not in the archive is found', async () => {
  const added = [...(await wrapPackaged()), piece('demo-1.2.3/chart/templates/evil.yaml', 'kind: Job\n')];
  await assertDamaged(await assembleWrap(added), { code: 'DT_WRAP_INVALID', entry: '/chart/templates/evil.yaml' });
});

test('a chart file that is only in the archive is found', async () => {
  const removed = (await wrapPackaged()).filter(({ header }) => !header.name.endsWith('/pod.yaml'));
  await assertDamaged(await assembleWrap(removed), { code: 'DT_WRAP_INVALID', entry: '/chart/templates/pod.yaml' });
});

test('a chart with another name, version or app version than wrap.json has is found', async () => {
  const pieces = await takeApart(await makeHonestWrap());
  for (const [from, to] of [
    ['name: demo', 'name: domo'],
    ['version: 1.2.3', 'version: 1.2.4'],
    ['appVersion: "4"', 'appVersion: "5"'],
  ] as const) {
    const edited = editEntry(pieces, '/chart/Chart.yaml', (content) => content.toString('utf8').replace(from, to));
    await assertDamaged(await assembleWrap(edited), { code: 'DT_WRAP_INVALID', entry: 'demo-1.2.3/chart' });
  }
});

test('a chart that Helm could not load is found', async () => {
  const pieces = editEntry(await takeApart(await makeHonestWrap()), '/chart/Chart.yaml', () => 'a: [');
  await assertDamaged(await assembleWrap(pieces), { code: 'DT_WRAP_INVALID', entry: 'demo-1.2.3/chart' });
});

test('a chart in a folder that is not called like it is found', async () => {
  const pieces = (await takeApart(await makeHonestWrap())).map((item) => {
    const rename = (value: string): string => value.replaceAll('demo-1.2.3/', 'demo-9/');
    const { linkname } = item.header;
    const header = {
      ...item.header,
      name: rename(item.header.name),
      ...(typeof linkname === 'string' ? { linkname: rename(linkname) } : {}),
    };
    return header.name.endsWith('/.dt/wrap.json')
      ? { header, content: Buffer.from(rename(item.content.toString())) }
      : { ...item, header };
  });
  await assertDamaged(await assembleWrap(pieces, { topFolder: 'demo-9' }), {
    code: 'DT_WRAP_INVALID',
    entry: 'demo-9/chart',
  });
});

test('a wrap without discovery.json, or with one that is none, is found', async () => {
  const pieces = await takeApart(await makeHonestWrap());
  const without = pieces.filter(({ header }) => !header.name.endsWith('/discovery.json'));
  await assertDamaged(await assembleWrap(without), { code: 'DT_WRAP_INCOMPLETE', entry: '.dt/discovery.json' });
  for (const text of ['{', '[]', '{"charts":1}']) {
    const edited = editEntry(pieces, '/discovery.json', () => text);
    await assertDamaged(await assembleWrap(edited), { code: 'DT_WRAP_INVALID', entry: '.dt/discovery.json' });
  }
});

test('a chart whose manifest is about another archive or config is found', async () => {
  await withSource(async (source) => {
    const chart = { 'demo/Chart.yaml': (await readFile(join(source.folder, 'demo/Chart.yaml'))).toString() };
    const { reference } = await pushChart(
      source.host,
      'charts',
      { name: 'demo', version: '1.2.3' },
      await packArchive(chart),
    );
    const outputFile = join(source.folder, 'w.wrap.tgz');
    const pieces = await takeApart(await source.wrap({ sources: [{ location: `oci://${reference}` }], outputFile }));
    await verifyBytes(await assembleWrap(pieces));
    const edited = editJson(pieces, '/.dt/wrap.json', (document) => {
      const [wrapped] = document['charts'] as { manifest: string }[];
      if (wrapped !== undefined) wrapped.manifest = source.tool.digest;
    });
    const error = await assertDamaged(await assembleWrap(edited), {
      code: 'DT_MANIFEST_INVALID',
      entry: 'demo-1.2.3/chart',
    });
    assert.equal(error.failures.filter(({ error: { code } }) => code === 'DT_MANIFEST_INVALID').length, 2);
  });
});

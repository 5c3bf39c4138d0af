import { test } from 'node:test';
import { assertWrapRefused } from '../support/assert-refused.ts';
import { forgeWrap, type ForgedDocument } from '../support/forged-wraps.ts';

const PATHS = [
  ...[
    '../x/chart',
    '/demo-1.2.3/chart',
    'demo-1.2.3/chart/chart',
    'a/demo-1.2.3/chart',
    'chart',
    '/chart',
    'demo-1.2.3',
    '',
  ],
  ...[
    'demo-1.2.3/Chart',
    'demo-1.2.3/chart/',
    './demo-1.2.3/chart',
    'demo-1.2.3/../other-1.2.3/chart',
    '../chart',
    'demo-1.2.3\\chart',
  ],
];

async function assertForgeryRefused(edit: (document: ForgedDocument) => void): Promise<void> {
  const wrap = await forgeWrap('two charts', (document) => {
    edit(document);
    return undefined;
  });
  await assertWrapRefused(wrap, ['DT_WRAP_INVALID'], { throughProgram: false });
}

for (const path of PATHS) {
  test(`a chart that is said to lie in ${JSON.stringify(path)} is refused`, async () => {
    await assertForgeryRefused(({ charts }) => void Object.assign(charts[0] ?? {}, { path }));
  });
}

test('a chart that lies in the folder of another chart is refused', async () => {
  const wrap = await forgeWrap('one chart', ({ charts }, pieces) => {
    Object.assign(charts[0] ?? {}, { path: 'demo-1.2.3/chart/chart' });
    return pieces.map((item) => ({
      ...item,
      header: { ...item.header, name: item.header.name.replace(/^demo-1\.2\.3\/chart\//, 'demo-1.2.3/chart/chart/') },
    }));
  });
  await assertWrapRefused(wrap, ['DT_WRAP_INVALID'], { throughProgram: false });
});

test('two charts in one folder are refused', async () => {
  await assertForgeryRefused(({ charts }) => void Object.assign(charts[1] ?? {}, { path: charts[0]?.path }));
});

test('a chart that is listed twice is refused', async () => {
  await assertForgeryRefused(({ charts }) => void charts.push(...charts));
});

test('an image of a folder that has no chart is refused', async () => {
  await assertForgeryRefused(({ images }) => void Object.assign(images[0] ?? {}, { folder: 'nobody-1.0.0' }));
});

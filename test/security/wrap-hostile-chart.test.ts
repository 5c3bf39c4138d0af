import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ErrorCode } from '../../src/domain/errors.ts';
import { assertPrintable, assertWrapRefused, unwrapBytes } from '../support/assert-refused.ts';
import { startEmbeddedRegistry } from '../support/registries.ts';
import { runCli } from '../support/run-cli.ts';
import {
  assembleWrap,
  editEntry,
  makeHonestWrap,
  takeApart,
  withFolder,
  type WrapPiece,
} from '../support/hostile-wraps.ts';

type Forgery = readonly [name: string, codes: readonly ErrorCode[], path: string, edit: (text: string) => string];

const named =
  (name: string): ((text: string) => string) =>
  (text) =>
    text.replace('name: demo', `name: ${JSON.stringify(name)}`);
const versioned =
  (version: string): ((text: string) => string) =>
  (text) =>
    text.replace('version: 1.2.3', `version: ${JSON.stringify(version)}`);

function yamlBomb(start = 'x'): string {
  const levels = Array.from(
    { length: 12 },
    (_, level) =>
      `a${String(level + 1)}: &a${String(level + 1)} [${Array.from({ length: 20 }, () => `*a${String(level)}`).join(', ')}]`,
  );
  return `a0: &a0 ${start}\n${levels.join('\n')}\n`;
}

const FORGERIES: readonly Forgery[] = [
  ['a name with a slash', ['DT_CHART_INVALID'], 'Chart.yaml', named('a/b')],
  ['the name ".."', ['DT_CHART_INVALID'], 'Chart.yaml', named('..')],
  ['a name with a backslash', ['DT_CHART_INVALID'], 'Chart.yaml', named('..\\b')],
  ['a name that a URL takes for ".."', ['DT_CHART_INVALID'], 'Chart.yaml', named('%2e%2e')],
  ['a name with a query', ['DT_CHART_INVALID'], 'Chart.yaml', named('a?b=')],
  ['a name with a fragment', ['DT_CHART_INVALID'], 'Chart.yaml', named('a#b')],
  ['a name in capitals', ['DT_CHART_INVALID'], 'Chart.yaml', named('DEMO')],
  ['a name with an escape sequence', ['DT_CHART_INVALID'], 'Chart.yaml', named('a\u001b[2Jb')],
  ['a name with a C1 control character', ['DT_CHART_INVALID'], 'Chart.yaml', named('a\u009b2Jb')],
  ['no name', ['DT_CHART_INVALID'], 'Chart.yaml', named('')],
  ['a version with a slash', ['DT_CHART_INVALID'], 'Chart.yaml', versioned('1.0.0/../x')],
  ['a version with an escape sequence', ['DT_CHART_INVALID'], 'Chart.yaml', versioned('1.0.0\u001b[2J')],
  ['a version that is longer than a tag', ['DT_CHART_INVALID'], 'Chart.yaml', versioned(`1.0.0-${'a'.repeat(200)}`)],
  ['a Chart.yaml that is a list', ['DT_CHART_INVALID', 'DT_YAML_INVALID'], 'Chart.yaml', () => '[]'],
  [
    'a Chart.yaml nested ten thousand deep',
    ['DT_CHART_INVALID', 'DT_YAML_INVALID'],
    'Chart.yaml',
    () => '['.repeat(10_000),
  ],
  [
    'a Chart.yaml with two names',
    ['DT_CHART_INVALID', 'DT_YAML_INVALID'],
    'Chart.yaml',
    (text) => `${text}name: other\n`,
  ],
  ['a values.yaml that is no YAML', ['DT_YAML_INVALID'], 'values.yaml', () => '{'],
  ['a values.yaml that is not UTF-8', ['DT_YAML_INVALID'], 'values.yaml', () => 'a: \xff\n'],
  ['a values.yaml nested ten thousand deep', ['DT_YAML_INVALID'], 'values.yaml', () => 'a: ' + '{a: '.repeat(10_000)],
];

async function forge(path: string, edit: (text: string) => string): Promise<WrapPiece[]> {
  return editEntry(await takeApart(await makeHonestWrap()), `/chart/${path}`, (content) =>
    Buffer.from(edit(content.toString('utf8')), path === 'values.yaml' ? 'latin1' : 'utf8'),
  );
}

for (const [name, codes, path, edit] of FORGERIES) {
  test(`a wrap of a chart with ${name} is refused before anything is pushed`, async () => {
    const throughProgram = /escape|".."|query|C1/.test(name);
    await assertWrapRefused(await assembleWrap(await forge(path, edit)), codes, { throughProgram });
  });
}

/** Accepted or refused, but soon. */
async function assertEndsSoon(pieces: readonly WrapPiece[]): Promise<void> {
  await withFolder(async (folder) => {
    const target = await startEmbeddedRegistry();
    try {
      const file = join(folder, 'w.tgz');
      await writeFile(file, await assembleWrap(pieces));
      const { code, stderr } = await runCli(['unwrap', file, `${target.host}/mirror`, '--yes'], {
        timeoutMs: 20_000,
        env: { HOME: folder },
      });
      assert.notEqual(code, -1, stderr);
      assert.doesNotMatch(stderr, /DT_BUG/);
    } finally {
      await target.close();
    }
  });
}

test('aliases that multiply in values.yaml do not keep the program busy', async () => {
  await assertEndsSoon(await forge('values.yaml', (text) => yamlBomb('{image: {repository: a/b, tag: c}}') + text));
});

test('aliases that multiply in Chart.yaml do not keep the program busy', async () => {
  await assertEndsSoon(await forge('Chart.yaml', (text) => text + yamlBomb()));
});

test('aliases that multiply in a field of Chart.yaml that travels do not keep the program busy', async () => {
  const dependency = 'dependencies:\n- name: x\n  version: 1.0.0\n  condition: a\n  import-values: *a12\n';
  await assertEndsSoon(await forge('Chart.yaml', (text) => text + yamlBomb() + dependency));
});

for (const text of ['- a\n- b\n', 'just text\n', '', '# nothing\n', 'null\n']) {
  test(`a values.yaml that is no map (${JSON.stringify(text)}) is taken as it is`, async () => {
    await withFolder(async (folder) => {
      const target = await startEmbeddedRegistry();
      try {
        const file = join(folder, 'w.tgz');
        await writeFile(file, await assembleWrap(await forge('values.yaml', () => text)));
        assert.equal(((await unwrapBytes(file, target.host)) as { pushed: boolean }).pushed, true);
      } finally {
        await target.close();
      }
    });
  });
}

test('control characters of a lock do not reach the terminal', async () => {
  await withFolder(async (folder) => {
    const file = join(folder, 'w.tgz');
    const evil = String.raw`"\e]0;title\a\x9b2Jx\u202e\u2066"`;
    const pieces = editEntry(await takeApart(await makeHonestWrap()), '/chart/Images.lock', (content) =>
      content
        .toString('utf8')
        .replace('Distribution Tooling for Helm', evil)
        .replace('version: 1.2.3', `version: ${evil}`),
    );
    await writeFile(file, await assembleWrap(pieces));
    for (const args of [['info'], ['info', '--detailed'], ['info', '--yaml']]) {
      const { stdout, stderr, code } = await runCli([...args, file], { env: { HOME: folder } });
      assert.equal(code, 0, stderr);
      assertPrintable(stdout + stderr);
    }
  });
});

test('control characters that stand in a lock as they are do not reach the terminal', async () => {
  await withFolder(async (folder) => {
    const file = join(folder, 'w.tgz');
    const pieces = editEntry(
      await takeApart(await makeHonestWrap()),
      '/chart/Images.lock',
      (content) => `# \u202e\u001b]0;title\u0007 \u009b2J\n${content.toString('utf8')}`,
    );
    await writeFile(file, await assembleWrap(pieces));
    const { stdout, stderr } = await runCli(['info', '--yaml', file], { env: { HOME: folder } });
    assertPrintable(stdout + stderr);
  });
});

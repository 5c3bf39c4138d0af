import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { assertPrintable } from '../support/assert-refused.ts';
import { NO_HELM, podOf } from '../support/discovery-site.ts';
import type { RunCliResult } from '../support/run-cli.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { requireTool } from '../support/tools.ts';

const P = 'registry.internal:5000/mirror';
const CHART = 'apiVersion: v2\nname: shop\nversion: 1.0.0\n';
const VALUES = 'image:\n  repository: quay.io/team/app\n  tag: "1"\n';
const POD = podOf('p', '{{ .Values.image.repository }}:{{ .Values.image.tag }}');
const FILES = { 'Chart.yaml': CHART, 'values.yaml': VALUES, 'templates/p.yaml': POD };
/** More than any rendering may print. */
const FLOOD = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n{{ range $i, $_ := until 100 }}  v{{ $i }}: {{ repeat 1000000 "x" }}\n{{ end }}`;

interface HostileSite {
  readonly sandbox: Sandbox;
  /** Runs `charts relocate shop` with Helm; checks that only printable text comes out and nothing is left behind. */
  relocate(args?: readonly string[], helm?: string): Promise<RunCliResult>;
  /** Everything in the working directory, links as what they lead to are left out. */
  snapshot(): Promise<Readonly<Record<string, string>>>;
}

async function openSite(
  t: TestContext,
  files: Readonly<Record<string, string | Uint8Array>> = FILES,
): Promise<HostileSite | undefined> {
  const found = requireTool(t, 'helm3');
  if (found === undefined) return undefined;
  const sandbox = await createSandbox(t);
  for (const [path, content] of Object.entries(files)) {
    const file = join(sandbox.work, 'shop', path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  return {
    sandbox,
    relocate: async (args = ['shop', P], helm = found) => {
      const result = await sandbox.run(['charts', 'relocate', ...args], { env: { HELM_BIN: helm } });
      assertPrintable(result.stdout + result.stderr);
      assert.deepEqual(await sandbox.listTemporary(), []);
      return result;
    },
    snapshot: async () => {
      const entries = await readdir(sandbox.work, { recursive: true, withFileTypes: true });
      const texts = entries
        .filter((entry) => entry.isFile())
        .map(async (entry) => {
          const path = join(entry.parentPath, entry.name);
          return [path.slice(sandbox.work.length), await readFile(path, 'latin1')] as const;
        });
      return Object.fromEntries(await Promise.all(texts));
    },
  };
}

/** Relocates a chart of these files and wants this end, with nothing changed. */
async function assertUntouched(
  t: TestContext,
  files: Readonly<Record<string, string | Uint8Array>>,
  code: number,
  said: RegExp,
  args?: readonly string[],
): Promise<void> {
  const site = await openSite(t, files);
  if (site === undefined) return;
  const before = await site.snapshot();
  const result = await site.relocate(args);
  assert.equal(result.code, code, result.stdout + result.stderr);
  assert.match(result.stdout + result.stderr, said);
  assert.deepEqual(await site.snapshot(), before);
}

function aliasBomb(): string {
  const aliases = (level: number): string => Array.from({ length: 20 }, () => `*a${String(level)}`).join(', ');
  const levels = Array.from(
    { length: 12 },
    (_, level) => `a${String(level + 1)}: &a${String(level + 1)} [${aliases(level)}]`,
  );
  return `a0: &a0 quay.io/team/app:1\n${levels.join('\n')}\n`;
}

describe('values that are none', () => {
  for (const [name, values] of [
    ['keys that are lists', '? [a]\n: {image: quay.io/team/app}\n'],
    ['an alias bomb', aliasBomb()],
  ] as const) {
    it(`${name}: nothing is proven and nothing changed`, async (t) => {
      await assertUntouched(
        t,
        { ...FILES, 'values.yaml': values },
        0,
        /Changes: 0 places\n[^]*Proof: none, .*values\.yaml/,
      );
    });
  }

  for (const [name, values] of [
    ['a list', '- image: {repository: quay.io/team/app, tag: "1"}\n'],
    ['a text', 'quay.io/team/app:1\n'],
    ['a number', '1\n'],
    ['a list in the second document', `${VALUES}---\n- 1\n`],
    ['no YAML', '{'],
    ['not UTF-8', Buffer.from('a: \xff\n', 'latin1')],
    ['nested ten thousand deep', 'a: ' + '{a: '.repeat(10_000)],
    ['an alias without an anchor', 'image: {repository: *missing, tag: "1"}\n'],
  ] as const) {
    it(`${name}: refused`, async (t) => {
      await assertUntouched(t, { ...FILES, 'values.yaml': values }, 1, /Code: DT_YAML_INVALID\n/);
    });
  }
});

describe('documents beside the values', () => {
  for (const [name, path, text, code, said] of [
    [
      'an alias bomb in Chart.yaml',
      'Chart.yaml',
      `${CHART}x:\n  ${aliasBomb().replaceAll('\n', '\n  ')}\n`,
      1,
      /Code: DT_(?:YAML|CHART)_INVALID\n/,
    ],
    [
      'an annotation that is no list',
      'Chart.yaml',
      `${CHART}annotations:\n  images: "{"\n`,
      1,
      /Code: DT_ANNOTATION_INVALID\n/,
    ],
    ['a lock that is none', 'Images.lock', 'images: 3\n', 3, /Code: DT_LOCK_INVALID\n/],
    ['an alias bomb for a lock', 'Images.lock', `${aliasBomb()}images: *a12\n`, 3, /Code: DT_LOCK_INVALID\n/],
  ] as const) {
    it(`${name}: refused, and the values are as they were`, async (t) => {
      await assertUntouched(t, { ...FILES, [path]: text }, code, said);
    });
  }
});

describe('links', () => {
  for (const [name, link, target] of [
    ['a values file out of the chart', 'values-pro.yaml', '../outside.yaml'],
    ['a template out of the chart', 'templates/q.yaml', '../../outside.yaml'],
    ['a folder out of the chart', 'files', '..'],
    ['a subchart out of the chart', 'charts', '../elsewhere'],
    ['a circle', 'files', '.'],
    ['an absolute path', 'files', '/etc'],
  ] as const) {
    it(`${name}: refused, nothing changed on either side`, async (t) => {
      const site = await openSite(t);
      if (site === undefined) return;
      const { work } = site.sandbox;
      await mkdir(join(work, 'elsewhere'));
      await writeFile(join(work, 'outside.yaml'), VALUES);
      await symlink(target, join(work, 'shop', link));
      const before = await site.snapshot();
      const result = await site.relocate(['shop', P, '--values', 'values.yaml,values-pro.yaml']);
      assert.equal(result.code, 3, result.stderr);
      assert.match(result.stderr, /Code: DT_UNSAFE_ENTRY\n/);
      assert.deepEqual(await site.snapshot(), before);
    });
  }

  it('a values file is not looked for outside of the chart', async (t) => {
    const site = await openSite(t);
    if (site === undefined) return;
    const outside = join(site.sandbox.work, 'outside.yaml');
    await writeFile(outside, VALUES);
    for (const name of ['../outside.yaml', outside, 'templates/../../outside.yaml']) {
      const result = await site.relocate(['shop', P, '--values', name]);
      assert.match(result.stderr, /Code: DT_FILE_NOT_FOUND\n/);
    }
    assert.equal(await readFile(outside, 'utf8'), VALUES);
  });
});

describe('templates', () => {
  it('that fail: Helm’s reason, and what the shape of the values says is changed as a whole', async (t) => {
    const site = await openSite(t, {
      ...FILES,
      'templates/q.yaml': '{{ fail "\\x1b[2J\\u009b31m\\u202e no\\r\\nCode: DT_OK" }}',
    });
    if (site === undefined) return;
    const { stdout, stderr, code } = await site.relocate();
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Proof: none, .*execution error/);
    assert.doesNotMatch(stdout + stderr, /^Code: DT_OK/m);
    assert.equal(await readFile(join(site.sandbox.work, 'shop/values.yaml'), 'utf8'), VALUES.replace('quay.io', P));
  });

  it('that print without end once an image has moved: the edit is refused, nothing changed', async (t) => {
    const flood = `{{ if contains "registry.internal" .Values.image.repository }}${FLOOD}{{ end }}`;
    await assertUntouched(
      t,
      { ...FILES, 'templates/flood.yaml': flood },
      0,
      /quay\.io\/team\/app:1 is left [^]*refused: .* more than \d+ bytes/,
    );
  });

  it('that change something else when an image moves: the edit is refused, nothing changed', async (t) => {
    const spy = `{{ if contains "registry.internal" .Values.image.repository }}${podOf('miner', 'evil.example.com/miner:1')}{{ end }}`;
    await assertUntouched(
      t,
      { ...FILES, 'templates/spy.yaml': spy },
      0,
      /quay\.io\/team\/app:1 is left [^]*refused: shop\/templates\/spy\.yaml/,
    );
  });

  it('that swap the image for another one when it moves: the edit is refused, nothing changed', async (t) => {
    const image = `{{ if contains "registry.internal" .Values.image.repository }}${P}/evil/miner:1{{ else }}{{ .Values.image.repository }}:{{ .Values.image.tag }}{{ end }}`;
    await assertUntouched(t, { ...FILES, 'templates/p.yaml': podOf('p', image) }, 0, /quay\.io\/team\/app:1 is left /);
  });
});

describe('texts', () => {
  const ESCAPES = '\\e[31m\\e]0;title\\a\\x9b2J\\u202e';
  const TEXTS = {
    ...FILES,
    'values.yaml': `${VALUES}"k${ESCAPES}": {image: {repository: quay.io/team/key, tag: "1"}}\n`,
    'templates/q.yaml': [
      'apiVersion: v1',
      'kind: Pod',
      `metadata: {name: "x${ESCAPES}"}`,
      'spec:',
      '  containers:',
      '    - {name: a, image: "{{ lower "GHCR.io/Team" }}/hidden:1"}',
      `  "f${ESCAPES}": {image: "{{ lower "GHCR.io/Team" }}/odd:1"}`,
    ].join('\n'),
  };

  it('with control characters come to no terminal, as a report or as JSON', async (t) => {
    const site = await openSite(t, TEXTS);
    if (site === undefined) return;
    const { stdout, code } = await site.relocate(['shop', P, '--check']);
    assert.equal(code, 0);
    assert.match(stdout, /hidden:1 is left in Pod\/x/);
    assert.match(stdout, /quay\.io\/team\/key → /);
    const json = await site.relocate(['shop', P, '--check', '--json']);
    const { proof } = JSON.parse(json.stdout) as { proof: { left: { reference: string }[] } };
    assert.ok(proof.left.some(({ reference }) => reference === 'ghcr.io/team/hidden:1'));
  });

  it('in names of files are refused', async (t) => {
    const site = await openSite(t, { ...FILES, 'templates/q\u001b[2J.yaml': POD });
    if (site === undefined) return;
    const before = await site.snapshot();
    const { stderr, code } = await site.relocate();
    assert.notEqual(code, 0);
    assert.match(stderr, /Code: DT_/);
    assert.deepEqual(await site.snapshot(), before);
  });
});

describe('prefixes', () => {
  for (const prefix of [
    'https://registry.internal/x',
    'docker://registry.internal/x',
    'registry.internal/Upper',
    'registry.internal/a b',
    'registry.internal/x:1',
    'registry.internal/x@sha256:aa',
    'registry.internal//x',
    'registry.internal/../x',
    'registry.internal:99999/x',
    'registry.internal/x"y',
    'registry.internal/x\ny: z',
    'registry.internal/{{ .Values.x }}',
    'user:password@registry.internal/x',
    '/etc',
    '',
  ]) {
    it(`${JSON.stringify(prefix)} is none`, async (t) => {
      await assertUntouched(t, FILES, 2, /Code: DT_(?:BAD_PREFIX|USAGE)\n/, ['shop', prefix]);
    });
  }
});

it('a Helm that is none does no harm', async (t) => {
  const site = await openSite(t);
  if (site === undefined) return;
  for (const helm of [NO_HELM, '/bin/false', '/bin/true', '/etc/passwd', '/']) {
    const { stdout, code } = await site.relocate(['shop', P, '--check'], helm);
    assert.equal(code, 0, helm);
    assert.match(stdout, /Proof: none, /, helm);
  }
});

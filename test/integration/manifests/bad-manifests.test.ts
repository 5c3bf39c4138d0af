import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createSandbox } from '../../support/sandbox.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const KNOWN = `image: a@${DIGEST}\n`;
const LOCK = 'apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\nimages:\n';
const CONFIG = 'apiVersion: kbld.k14s.io/v1alpha1\nkind: Config\n';

interface BadInput {
  readonly what: string;
  /** The content of `m/a.yml`. */
  readonly text: string;
  readonly flags?: readonly string[];
  readonly code: string;
  readonly exit: number;
  readonly says: RegExp;
}

const INPUTS: readonly BadInput[] = [
  {
    what: 'one broken document of three',
    text: 'a: 1\n---\nb: [\n---\nc: 1\n',
    code: 'DT_YAML_INVALID',
    exit: 1,
    says: /m\/a\.yml .*\(line 4\)/,
  },
  { what: 'a list', text: 'a: 1\n---\n- image: a\n', code: 'DT_YAML_INVALID', exit: 1, says: /m\/a\.yml .*\(line 3\)/ },
  {
    what: 'what is no UTF-8',
    text: 'a: \u00ff\n',
    code: 'DT_YAML_INVALID',
    exit: 1,
    says: /m\/a\.yml is not valid UTF-8/,
  },
  {
    what: 'an empty image',
    text: 'kind: Pod\nx: {image: ""}\n',
    code: 'DT_BAD_REFERENCE',
    exit: 2,
    says: /Pod x\.image in m\/a\.yml/,
  },
  {
    what: 'a lock with a tag',
    text: `${LOCK}- image: a:1\n`,
    code: 'DT_LOCK_INVALID',
    exit: 3,
    says: /m\/a\.yml .*a:1.* no digest/,
  },
  {
    what: 'a lock of a version of tomorrow',
    text: LOCK.replace('v1alpha1', 'v9'),
    code: 'DT_LOCK_INVALID',
    exit: 3,
    says: /v9/,
  },
  {
    what: 'a lock without names',
    text: `${LOCK}- image: a@${DIGEST}\n`,
    code: 'DT_LOCK_INVALID',
    exit: 3,
    says: /kbld\.carvel\.dev\/id is missing/,
  },
  {
    what: 'overrides that contradict each other',
    text: `image: b:1\n---\n${CONFIG}overrides: [{image: "b:1", newImage: "c:1"}, {image: "b:1", newImage: "d:1"}]\n`,
    code: 'DT_CONFIG_INVALID',
    exit: 1,
    says: /b:1 is ambiguous/,
  },
  {
    what: 'images to be built',
    text: `${CONFIG}sources: [{image: a, path: .}]\n`,
    code: 'DT_CONFIG_INVALID',
    exit: 1,
    says: /built/,
  },
  {
    what: 'a final image without a digest for an ImagesLock',
    text: `image: b:1\n---\n${CONFIG}overrides: [{image: "b:1", newImage: "c:1", preresolved: true}]\n`,
    flags: ['--imgpkg-lock-output', 'lock.yml'],
    code: 'DT_CONFIG_INVALID',
    exit: 1,
    says: /b:1 becomes c:1, which has no digest/,
  },
  {
    what: 'a missing file',
    text: KNOWN,
    flags: ['-f', 'nothing'],
    code: 'DT_FILE_NOT_FOUND',
    exit: 1,
    says: /nothing/,
  },
  {
    what: 'a URL',
    text: KNOWN,
    flags: ['-f', 'https://example.com/x.yml'],
    code: 'DT_USAGE',
    exit: 2,
    says: /is a URL/,
  },
  {
    what: 'standard input twice',
    text: KNOWN,
    flags: ['-f', '-', '-f', '-'],
    code: 'DT_USAGE',
    exit: 2,
    says: /twice/,
  },
  {
    what: 'two locks',
    text: KNOWN,
    flags: ['--imgpkg-lock-output', 'lock.yml', '--lock-output', 'lock.yml'],
    code: 'DT_USAGE',
    exit: 2,
    says: /only one lock/,
  },
  {
    what: 'half a platform',
    text: KNOWN,
    flags: ['--platform', 'linux'],
    code: 'DT_BAD_PLATFORM',
    exit: 2,
    says: /linux/,
  },
  {
    what: 'no version behind the colon',
    text: KNOWN,
    flags: ['--platform', 'windows/amd64:'],
    code: 'DT_BAD_PLATFORM',
    exit: 2,
    says: /version/,
  },
  {
    what: 'a map that is none',
    text: KNOWN,
    flags: ['--image-map-file', 'list.json'],
    code: 'DT_CONFIG_INVALID',
    exit: 1,
    says: /list\.json/,
  },
  {
    what: 'a lock in a folder that is not there',
    text: KNOWN,
    flags: ['--lock-output', 'no/such/lock.yml'],
    code: 'DT_OUTPUT_FAILED',
    exit: 1,
    says: /no\/such\/lock\.yml/,
  },
];

describe('bad input of manifests', () => {
  for (const { what, text, flags = [], code, exit, says } of INPUTS) {
    it(what, async (t) => {
      const sandbox = await createSandbox(t);
      const { work } = sandbox;
      await mkdir(join(work, 'm'));
      await writeFile(join(work, 'm/a.yml'), Buffer.from(text, 'latin1'));
      await writeFile(join(work, 'list.json'), '["a"]');
      for (const command of ['lock', 'resolve']) {
        const result = await sandbox.run(['manifests', command, '-f', 'm', ...flags], { stdin: '' });
        assert.equal(result.code, exit, result.stderr);
        assert.match(result.stderr, new RegExp(`Code: ${code}`));
        assert.match(result.stderr, says);
        assert.equal(result.stdout, '');
        assert.ok(!existsSync(join(work, 'lock.yml')));
      }
    });
  }
});

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, before, after } from 'node:test';
import { bundleLock, writeBundle } from '../../support/bundles.ts';
import { pushImage } from '../../support/images.ts';
import { startEmbeddedRegistry, type EmbeddedRegistry } from '../../support/registries.ts';
import { createSandbox, type Sandbox } from '../../support/sandbox.ts';

const cleanups: (() => Promise<void>)[] = [];
let sandbox: Sandbox;
let registry: EmbeddedRegistry;
let image: string;

before(async () => {
  sandbox = await createSandbox({ after: (clean) => void cleanups.push(clean as () => Promise<void>) });
  registry = await startEmbeddedRegistry();
  const { digest } = await pushImage(registry.host, 'team/app:1', { platforms: ['linux/amd64'] });
  image = `${registry.host}/team/app@${digest}`;
  await writeBundle(join(sandbox.work, 'good'), [image]);
  await sandbox.runOk(['bundle', 'push', '-b', `${registry.host}/made/good:1`, '-f', 'good']);
  await sandbox.runOk(['bundle', 'copy', '-b', `${registry.host}/made/good:1`, '--to-tar', 'good.tar']);
});
after(async () => {
  await registry.close();
  for (const clean of cleanups) await clean();
});

/** The command fails with this code, and its message has all of these texts. */
async function assertFails(
  args: readonly string[],
  code: string,
  ...texts: readonly (string | RegExp)[]
): Promise<void> {
  const { stdout } = await sandbox.run(['bundle', ...args, '--json']);
  const { error } = JSON.parse(stdout) as { error: { code: string; message: string } };
  assert.equal(error.code, code, error.message);
  for (const text of texts) assert.match(error.message, typeof text === 'string' ? new RegExp(text) : text);
}

describe('bundle push refuses', () => {
  test('two .imgpkg folders', async () => {
    await writeBundle(join(sandbox.work, 'two/deep'), [image]);
    await writeBundle(join(sandbox.work, 'two'), [image]);
    await assertFails(
      ['push', '-b', `${registry.host}/x:1`, '-f', 'two'],
      'DT_USAGE',
      /two\/\.imgpkg.*two\/deep\/\.imgpkg/,
    );
  });
  test('an images.yml with a tag, of another version, or with a field that nobody knows', async () => {
    const broken = {
      tag: [bundleLock([`${registry.host}/team/app:1`]), /image 1.*has no digest/],
      version: [bundleLock([image]).replace('v1alpha1', 'v9'), /apiVersion.*v9/],
      field: [`${bundleLock([image])}other: 1\n`, /unknown field "other"/],
    } as const;
    for (const [name, [text, message]] of Object.entries(broken)) {
      await writeBundle(join(sandbox.work, name), []);
      await writeFile(join(sandbox.work, name, '.imgpkg/images.yml'), text);
      await assertFails(['push', '-b', `${registry.host}/x:1`, '-f', name], 'DT_LOCK_INVALID', message, 'images.yml');
    }
  });
  test('links, and a file that comes twice', async () => {
    await writeBundle(join(sandbox.work, 'linked'), []);
    await symlink('/etc/passwd', join(sandbox.work, 'linked/secrets'));
    await assertFails(['push', '-b', `${registry.host}/x:1`, '-f', 'linked'], 'DT_UNSAFE_ENTRY', 'linked/secrets');
    await writeFile(join(sandbox.work, 'a.yml'), '');
    await mkdir(join(sandbox.work, 'other'));
    await writeFile(join(sandbox.work, 'other/a.yml'), '');
    await assertFails(
      ['push', '-i', `${registry.host}/x:1`, '-f', 'a.yml', '-f', 'other'],
      'DT_USAGE',
      'a.yml comes twice',
    );
  });
  test('credentials for two registries, and half of one', async () => {
    const env = { IMGPKG_USERNAME: 'me' };
    const { code } = await sandbox.run(['bundle', 'tag', 'list', '-i', `${registry.host}/made/good`], { env });
    assert.equal(code, 2);
    const both = { ...env, IMGPKG_PASSWORD: 'secret' };
    const args = ['bundle', 'copy', '-b', `${registry.host}/made/good:1`, '--to-repo', 'elsewhere.example/x'];
    const result = await sandbox.run(args, { env: both });
    assert.equal(result.code, 2);
    assert.ok(!`${result.stdout}${result.stderr}`.includes('secret'));
  });
});

describe('copy and pull refuse', () => {
  test('a bundle as -i and an image as -b', async () => {
    const bundle = `${registry.host}/made/good:1`;
    const plain = `${registry.host}/team/app:1`;
    await assertFails(['copy', '-i', bundle, '--to-tar', 'x.tar'], 'DT_USAGE', 'is a bundle');
    await assertFails(['copy', '-b', plain, '--to-tar', 'x.tar'], 'DT_USAGE', 'plain image');
    await assertFails(['pull', '-i', bundle, '-o', 'x'], 'DT_USAGE', 'is a bundle');
    await assertFails(['pull', '-b', plain, '-o', 'x'], 'DT_USAGE', 'plain image');
    assert.ok(!existsSync(join(sandbox.work, 'x.tar')) && !existsSync(join(sandbox.work, 'x')));
  });
  test('a tar that is none, of something else, or truncated', async () => {
    const copy = (file: string): readonly string[] => ['copy', '--tar', file, '--to-repo', `${registry.host}/x`];
    await writeFile(join(sandbox.work, 'text.tar'), 'this is no tar');
    await assertFails(copy('text.tar'), 'DT_WRAP_INVALID', 'text.tar is no bundle tar');
    await writeFile(join(sandbox.work, 'long.tar'), 'this is no tar'.repeat(100));
    await assertFails(copy('long.tar'), 'DT_WRAP_INVALID', 'long.tar is no bundle tar');
    const whole = await readFile(join(sandbox.work, 'good.tar'));
    for (const length of [1024, whole.length - 5000, whole.length - 1536, whole.length - 512]) {
      await writeFile(join(sandbox.work, 'cut.tar'), whole);
      await truncate(join(sandbox.work, 'cut.tar'), length);
      await assertFails(copy('cut.tar'), 'DT_WRAP_TRUNCATED', 'cut.tar is cut');
    }
  });
  test('a folder that holds what is needed', async () => {
    for (const folder of ['/', '.', '..', '']) {
      await assertFails(['pull', '-b', `${registry.host}/made/good:1`, '-o', folder], 'DT_USAGE');
    }
  });
  test('a pull that fails leaves the former folder as it is', async () => {
    await mkdir(join(sandbox.work, 'kept'));
    await writeFile(join(sandbox.work, 'kept/mine'), 'mine');
    await assertFails(['pull', '-b', `${registry.host}/made/none:1`, '-o', 'kept'], 'DT_NOT_FOUND');
    assert.equal(await readFile(join(sandbox.work, 'kept/mine'), 'utf8'), 'mine');
    await sandbox.runOk(['bundle', 'pull', '-b', `${registry.host}/made/good:1`, '-o', 'kept']);
    assert.ok(!existsSync(join(sandbox.work, 'kept/mine')));
  });
});

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { isDtError } from '../../../../src/domain/errors.ts';
import {
  defaultCertificateFolders,
  readHostCertificates,
} from '../../../../src/transport/connections/certificate-folders.ts';
import { createTestAuthority } from '../../../support/certificates.ts';

const root = await mkdtemp(join(tmpdir(), 'dt-certs-'));
after(async () => rm(root, { recursive: true, force: true }));
const authority = await createTestAuthority({ after });
const other = await createTestAuthority({ after });
const client = await authority.issue('client');
const [ca, otherCa, certificate, key, foreignKey] = (await Promise.all(
  [authority.certificate, other.certificate, client.certificate, client.key, other.key].map(async (path) =>
    readFile(path, 'utf8'),
  ),
)) as [string, string, string, string, string];
let count = 0;

/** Folders of one test: `FIRST/HOST/FILE` by its path. */
async function createFolders(files: Readonly<Record<string, string>>): Promise<string[]> {
  count += 1;
  const base = join(root, String(count));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(base, dirname(path)), { recursive: true });
    await writeFile(join(base, path), text);
  }
  return ['first', 'second'].map((name) => join(base, name));
}

test('a host without a folder has no certificates', async () => {
  const folders = await createFolders({ 'first/other.example/ca.crt': ca, 'first/ca.crt': ca, 'first/file': '' });
  for (const host of ['a.example', 'other.example:5000', 'x.other.example', 'file']) {
    assert.equal(readHostCertificates(host, folders), undefined, host);
  }
  assert.equal(readHostCertificates('a.example', [join(root, 'absent')]), undefined);
});

test('every .crt of every folder is an authority', async () => {
  const folders = await createFolders({
    'first/a.example:5000/one.crt': ca,
    'second/a.example:5000/two.crt': otherCa + ca,
    'second/a.example:5000/README': 'nothing',
  });
  const found = readHostCertificates('a.example:5000', folders);
  assert.deepEqual(
    found?.authorities,
    [ca, otherCa, ca].map((text) => text.trim()),
  );
  assert.deepEqual(found.clientPairs, []);
});

test('port 443 may stand in the name, and Docker Hub goes by its own', async () => {
  const folders = await createFolders({ 'first/a.example:443/ca.crt': ca, 'first/docker.io/ca.crt': otherCa });
  assert.equal(readHostCertificates('a.example', folders)?.authorities.length, 1);
  assert.equal(readHostCertificates('registry-1.docker.io', folders)?.authorities.length, 1);
  assert.equal(readHostCertificates('auth.docker.io', folders), undefined);
});

test('client certificates come from the first folder that has any', async () => {
  const folders = await createFolders({
    'first/a.example/client.cert': certificate,
    'first/a.example/client.key': key,
    'second/a.example/client.cert': certificate,
    'second/a.example/client.key': key,
  });
  assert.deepEqual(readHostCertificates('a.example', folders), {
    authorities: [],
    clientPairs: [{ certificate, key }],
  });
});

for (const [problem, file, files] of [
  ['a key alone', 'client.key', { 'client.key': key }],
  ['a certificate alone', 'client.cert', { 'client.cert': certificate }],
  ['a certificate with another key', 'client.cert', { 'client.cert': certificate, 'client.key': foreignKey }],
  ['a client certificate that is none', 'client.cert', { 'client.cert': 'x', 'client.key': key }],
  ['an authority that is no PEM', 'ca.crt', { 'ca.crt': 'x' }],
  ['a damaged authority', 'ca.crt', { 'ca.crt': ca.replace(/[A-Z]{3}/, '') }],
] as const) {
  test(`${problem} is refused by its name`, async () => {
    const folders = await createFolders(
      Object.fromEntries(Object.entries(files).map(([name, text]) => [`first/a.example/${name}`, text])),
    );
    assert.throws(
      () => readHostCertificates('a.example', folders),
      (error) => isDtError(error, 'DT_CONFIG_INVALID') && error.message.includes(join('a.example', file)),
    );
  });
}

test('the host of a URL does not lead out of the folders', async () => {
  const folders = await createFolders({ 'first/x/ca.crt': ca, 'ca.crt': ca });
  for (const host of ['..', '.', '../x']) assert.equal(readHostCertificates(host, folders), undefined, host);
});

test("the user's own folder comes before those of the system", () => {
  assert.deepEqual(defaultCertificateFolders({ HOME: '/home/me' }), [
    '/home/me/.config/containers/certs.d',
    '/etc/containers/certs.d',
    '/etc/docker/certs.d',
  ]);
});

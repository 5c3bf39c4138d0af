import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Paths of PEM files. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface TestAuthority extends KeyPair {
  /** A certificate for these names and addresses, for servers and clients alike. */
  issue(...hosts: readonly string[]): Promise<KeyPair>;
}

/** Makes a certificate authority of a day with openssl, in a folder that goes away with the test. */
export async function createTestAuthority(t: { after(clean: () => Promise<void>): void }): Promise<TestAuthority> {
  const folder = await mkdtemp(join(tmpdir(), 'dt-authority-'));
  t.after(async () => rm(folder, { recursive: true, force: true }));
  let count = 0;
  const create = async (subject: string, ...args: readonly string[]): Promise<KeyPair> => {
    count += 1;
    const pair = { certificate: join(folder, `${String(count)}.pem`), key: join(folder, `${String(count)}.key`) };
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    const files = ['-out', pair.certificate, '-keyout', pair.key];
    await run('openssl', ['req', '-x509', '-days', '1', '-subj', `/CN=${subject}`, ...curve, ...files, ...args]);
    return pair;
  };
  const authority = await create('Test Authority');
  return {
    ...authority,
    issue: async (...hosts) => {
      const names = hosts.map((host) => `${/^[\d.]+$|:/.test(host) ? 'IP' : 'DNS'}:${host}`).join(',');
      const extensions = [`subjectAltName=${names}`, 'basicConstraints=critical,CA:FALSE'];
      return create(
        hosts[0] ?? '',
        ...['-CA', authority.certificate, '-CAkey', authority.key],
        ...extensions.flatMap((extension) => ['-addext', extension]),
      );
    },
  };
}

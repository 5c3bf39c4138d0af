import { execFile } from 'node:child_process';
import { createHash, createPrivateKey, generateKeyPairSync, sign, X509Certificate, type KeyObject } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const DEFAULT_ISSUER = 'https://accounts.example.test';
const LOG_URL = 'https://log.example.test';
const LOG_ORIGIN = 'log.example.test';
const DAY_MS = 24 * 60 * 60 * 1000;
/** The provider as plain bytes, and as a string of ASN.1. https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md */
const OLD_ISSUER_OID = '1.3.6.1.4.1.57264.1.1';
const ISSUER_OID = '1.3.6.1.4.1.57264.1.8';

export interface IssueOptions {
  /** Default: the provider https://accounts.example.test. */
  readonly issuer?: string;
  /** Default codeSigning. */
  readonly extendedKeyUsage?: string;
  /** Default P-256. */
  readonly curve?: string;
  /** May it issue certificates? Default false. */
  readonly isAuthority?: boolean;
}

/** Somebody with a certificate of the test's own authority. */
export interface TestSigner {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

export interface EntryOptions {
  /** When the log took the signature in; default now. */
  readonly time?: Date;
}

/** What a log entry is about: the digest of a file or layer, or the payload of an envelope. */
export type LogSubject = { readonly digest: Buffer } | { readonly payload: Buffer };

/** The entry of the test's own log, in the two forms that signatures carry. */
export interface TestLogEntry {
  /** Of a Sigstore bundle: `verificationMaterial.tlogEntries[]`. */
  readonly bundleEntry: Record<string, unknown>;
  /** Of a classic signature: the annotation `dev.sigstore.cosign/bundle`. */
  readonly annotation: string;
}

/** A certificate authority and a transparency log like those of Sigstore, for one test. */
export interface TestSigstore {
  /** The document of a `trusted_root.json`; `parts` replaces members. */
  trustedRoot(parts?: Record<string, unknown>): Buffer;
  issue(identity: string, options?: IssueOptions): Promise<TestSigner>;
  log(signer: TestSigner, signature: Buffer, subject: LogSubject, options?: EntryOptions): TestLogEntry;
  /** A time stamp of now over the bytes. https://www.rfc-editor.org/rfc/rfc3161 */
  stamp(bytes: Buffer): Promise<Buffer>;
}

/** Makes an authority for certificates and time stamps (with openssl) and a log, all new. */
export async function createTestSigstore(t: { after(clean: () => Promise<void>): void }): Promise<TestSigstore> {
  const folder = await mkdtemp(join(tmpdir(), 'dt-sigstore-'));
  t.after(async () => rm(folder, { recursive: true, force: true }));
  const config = join(folder, 'openssl.cnf');
  const clockSettings = ['default_policy=1.2.3.4', 'digests=sha256', 'signer_digest=sha256', 'ess_cert_id_alg=sha256'];
  const settings = ['[req]', 'distinguished_name=name', '[name]', '[clock]', ...clockSettings];
  await writeFile(config, [...settings, `serial=${join(folder, 'serial')}`, ''].join('\n'));
  let count = 0;
  const create = async (
    subject: string,
    extensions: readonly string[],
    ...args: readonly string[]
  ): Promise<string> => {
    count += 1;
    const base = join(folder, String(count));
    const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    const files = ['-out', `${base}.pem`, '-keyout', `${base}.key`];
    const added = extensions.flatMap((extension) => ['-addext', extension]);
    const common = ['req', '-x509', '-config', config, '-days', '1', '-subj', subject];
    await run('openssl', [...common, ...newKey, ...files, ...args, ...added]);
    return base;
  };
  const authority = await create('/O=test/CN=authority', [
    'basicConstraints=critical,CA:TRUE',
    'keyUsage=critical,keyCertSign',
    'subjectKeyIdentifier=hash',
  ]);
  const root = new X509Certificate(await readFile(`${authority}.pem`));
  const issuing = ['-CA', `${authority}.pem`, '-CAkey', `${authority}.key`];
  const clock = await create('/O=test/CN=clock', ['extendedKeyUsage=critical,timeStamping'], ...issuing);
  const clockChain = [new X509Certificate(await readFile(`${clock}.pem`)), root];
  const log = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    trustedRoot: (parts = {}) =>
      Buffer.from(JSON.stringify({ ...describeTrust(root, clockChain, log.publicKey), ...parts })),
    issue: async (identity, options = {}) => {
      const {
        issuer = DEFAULT_ISSUER,
        extendedKeyUsage = 'codeSigning',
        curve = 'P-256',
        isAuthority = false,
      } = options;
      const base = await create(
        '/O=test',
        [
          `subjectAltName=critical,${identity.includes('://') ? 'URI' : 'email'}:${identity}`,
          `basicConstraints=critical,CA:${isAuthority ? 'TRUE' : 'FALSE'}`,
          `keyUsage=critical,digitalSignature${isAuthority ? ',keyCertSign' : ''}`,
          `extendedKeyUsage=${extendedKeyUsage}`,
          `${OLD_ISSUER_OID}=DER:${Buffer.from(issuer).toString('hex')}`,
          `${ISSUER_OID}=ASN1:UTF8String:${issuer}`,
        ],
        ...issuing,
        // The last one counts.
        ...['-pkeyopt', `ec_paramgen_curve:${curve}`],
      );
      return {
        certificate: new X509Certificate(await readFile(`${base}.pem`)),
        key: createPrivateKey(await readFile(`${base}.key`)),
      };
    },
    log: (signer, signature, subject, { time = new Date() } = {}) =>
      createEntry(log, describeEntry(signer, signature, subject), time),
    stamp: async (bytes) => {
      count += 1;
      const base = join(folder, String(count));
      await writeFile(base, bytes);
      await run('openssl', ['ts', '-query', '-data', base, '-sha256', '-no_nonce', '-cert', '-out', `${base}.tsq`]);
      const by = ['-config', config, '-section', 'clock', '-signer', `${clock}.pem`, '-inkey', `${clock}.key`];
      await run('openssl', ['ts', '-reply', '-queryfile', `${base}.tsq`, ...by, '-out', `${base}.tsr`]);
      return readFile(`${base}.tsr`);
    },
  };
}

function describeTrust(
  root: X509Certificate,
  clockChain: readonly X509Certificate[],
  logKey: KeyObject,
): Record<string, unknown> {
  const start = new Date(Date.now() - DAY_MS).toISOString();
  return {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [describeLog(logKey, LOG_URL, start)],
    certificateAuthorities: [describeAuthority('https://authority.example.test', [root], start)],
    ctlogs: [],
    timestampAuthorities: [describeAuthority('https://clock.example.test', clockChain, start)],
  };
}

function describeAuthority(uri: string, chain: readonly X509Certificate[], start: string): Record<string, unknown> {
  return {
    subject: { organization: 'test', commonName: 'authority' },
    uri,
    certChain: { certificates: chain.map(({ raw }) => ({ rawBytes: raw.toString('base64') })) },
    validFor: { start },
  };
}

/** A log as a trusted root names it. */
export function describeLog(key: KeyObject, baseUrl: string, start: string): Record<string, unknown> {
  return {
    baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: {
      rawBytes: exportSpki(key).toString('base64'),
      keyDetails: 'PKIX_ECDSA_P256_SHA_256',
      validFor: { start },
    },
    logId: { keyId: sha256(exportSpki(key)).toString('base64') },
  };
}

/** https://github.com/sigstore/rekor/tree/v1.3.6/pkg/types */
function describeEntry(
  { certificate }: TestSigner,
  signature: Buffer,
  subject: LogSubject,
): { kind: string; apiVersion: string; spec: unknown } {
  const verifier = Buffer.from(certificate.toString()).toString('base64');
  const content = signature.toString('base64');
  const hash = (digest: Buffer): unknown => ({ algorithm: 'sha256', value: digest.toString('hex') });
  if ('digest' in subject) {
    const spec = { data: { hash: hash(subject.digest) }, signature: { content, publicKey: { content: verifier } } };
    return { apiVersion: '0.0.1', kind: 'hashedrekord', spec };
  }
  const payloadHash = hash(sha256(subject.payload));
  const spec = { envelopeHash: payloadHash, payloadHash, signatures: [{ signature: content, verifier }] };
  return { apiVersion: '0.0.1', kind: 'dsse', spec };
}

/** The first and only entry of a log: promise, and proof in a tree of one leaf (https://www.rfc-editor.org/rfc/rfc6962#section-2.1). */
function createEntry(
  log: { readonly publicKey: KeyObject; readonly privateKey: KeyObject },
  entry: { readonly kind: string; readonly apiVersion: string },
  time: Date,
): TestLogEntry {
  const body = Buffer.from(JSON.stringify(entry));
  const logId = sha256(exportSpki(log.publicKey));
  const integratedTime = Math.floor(time.getTime() / 1000);
  const payload = { body: body.toString('base64'), integratedTime, logIndex: 0, logID: logId.toString('hex') };
  // In canonical JSON the members are in the order of their names.
  const promised = Buffer.from(
    `{"body":"${payload.body}","integratedTime":${String(integratedTime)},"logID":"${payload.logID}","logIndex":0}`,
  );
  const promise = sign('sha256', promised, log.privateKey).toString('base64');
  const rootHash = sha256(Buffer.concat([Buffer.from([0]), body])).toString('base64');
  // The number of the tree tells cosign that this is version 1 of Rekor.
  const note = `${LOG_ORIGIN} - 1\n1\n${rootHash}\n`;
  const noteSignature = Buffer.concat([logId.subarray(0, 4), sign('sha256', Buffer.from(note), log.privateKey)]);
  return {
    annotation: JSON.stringify({ SignedEntryTimestamp: promise, Payload: payload }),
    bundleEntry: {
      logIndex: '0',
      logId: { keyId: logId.toString('base64') },
      kindVersion: { kind: entry.kind, version: entry.apiVersion },
      integratedTime: String(integratedTime),
      inclusionPromise: { signedEntryTimestamp: promise },
      inclusionProof: {
        logIndex: '0',
        treeSize: '1',
        rootHash,
        hashes: [],
        checkpoint: { envelope: `${note}\n\u2014 ${LOG_ORIGIN} ${noteSignature.toString('base64')}\n` },
      },
      canonicalizedBody: payload.body,
    },
  };
}

function exportSpki(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

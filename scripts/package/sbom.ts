import { createHash } from 'node:crypto';
import { PRODUCT_DESCRIPTION, PRODUCT_VERSION } from '../../src/domain/product.ts';
import { NODE_VERSION } from './fetch-node.ts';
import type { PlatformName } from './platforms.ts';
import type { BundledPackage } from './third-party.ts';

const PRODUCT = 'helm-dt';
/** Versions that say something of Node.js itself and not of a library in it. */
const NOT_LIBRARIES = new Set(['node', 'modules', 'napi', 'unicode', 'tz', 'cldr']);

interface Component {
  readonly type: 'application' | 'library' | 'platform';
  readonly 'bom-ref': string;
  readonly name: string;
  readonly group?: string;
  readonly version: string;
  readonly description?: string;
  readonly purl: string;
  readonly licenses?: readonly object[];
  readonly hashes?: readonly { readonly alg: 'SHA-512'; readonly content: string }[];
  readonly components?: readonly Component[];
}

export interface SbomOptions {
  readonly platform: PlatformName;
  readonly packages: readonly BundledPackage[];
  /** The Node.js in the package as npm has it; none in one that brings none. */
  readonly node: { readonly name: string; readonly integrity: string } | undefined;
  readonly builtAt: Date;
}

/** What a package consists of, as CycloneDX 1.6. Equal packages give equal text. https://cyclonedx.org/docs/1.6/json/ */
export function formatSbom({ platform, packages, node, builtAt }: SbomOptions): string {
  const product: Component = {
    type: 'application',
    'bom-ref': `pkg:npm/${PRODUCT}@${PRODUCT_VERSION}`,
    name: PRODUCT,
    version: PRODUCT_VERSION,
    description: PRODUCT_DESCRIPTION,
    purl: `pkg:npm/${PRODUCT}@${PRODUCT_VERSION}`,
    licenses: [{ license: { id: 'Apache-2.0' } }],
  };
  const components = [
    ...packages.map((found) => describeLibrary(found)),
    ...(node === undefined ? [] : [describeNode(node)]),
  ];
  const content = {
    metadata: {
      timestamp: builtAt.toISOString().replace(/\.\d+Z$/, 'Z'),
      component: product,
      properties: [{ name: `${PRODUCT}:platform`, value: platform }],
    },
    components,
    dependencies: [{ ref: product['bom-ref'], dependsOn: components.map((component) => component['bom-ref']) }],
  };
  const head = { bomFormat: 'CycloneDX', specVersion: '1.6', serialNumber: describeSerial(content), version: 1 };
  return `${JSON.stringify({ ...head, ...content }, null, 2)}\n`;
}

function describeLibrary({ name, version, license, integrity }: BundledPackage): Component {
  const purl = packageUrl(name, version);
  const [group, baseName] = name.startsWith('@') ? (name.split('/') as [string, string]) : [undefined, name];
  return {
    type: 'library',
    'bom-ref': purl,
    ...(group === undefined ? {} : { group }),
    name: baseName,
    version,
    purl,
    licenses: [/^[\w.+-]+$/.test(license) ? { license: { id: license } } : { expression: license }],
    ...describeHashes(integrity),
  };
}

/** Node.js with the libraries that are in it, which are what security notices name. */
function describeNode({ name, integrity }: NonNullable<SbomOptions['node']>): Component {
  const libraries = Object.entries(process.versions).filter(
    ([library, version = '']) => version !== '' && !NOT_LIBRARIES.has(library),
  );
  return {
    type: 'platform',
    'bom-ref': packageUrl(name, NODE_VERSION),
    name: 'node',
    version: NODE_VERSION,
    purl: packageUrl(name, NODE_VERSION),
    licenses: [{ license: { id: 'MIT' } }],
    ...describeHashes(integrity),
    components: libraries.sort().map(([library, version = '']) => {
      const purl = `pkg:generic/${library}@${encodeURIComponent(version)}`;
      return { type: 'library', 'bom-ref': purl, name: library, version, purl };
    }),
  };
}

/** https://github.com/package-url/purl-spec */
function packageUrl(name: string, version: string): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

function describeHashes(integrity: string | undefined): Pick<Component, 'hashes'> {
  const sha512 = /^sha512-(\S+)$/.exec(integrity ?? '')?.[1];
  return sha512 === undefined
    ? {}
    : { hashes: [{ alg: 'SHA-512', content: Buffer.from(sha512, 'base64').toString('hex') }] };
}

/** A UUID made of the content: version 8, whose bits are ours. https://www.rfc-editor.org/rfc/rfc9562#section-5.8 */
function describeSerial(content: object): string {
  const bytes = createHash('sha256').update(JSON.stringify(content)).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return `urn:uuid:${bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')}`;
}

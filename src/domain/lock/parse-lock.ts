import { DtError } from '../errors.ts';
import { isDigest, type Digest } from '../oci/digest.ts';
import { parsePlatform } from '../oci/platform.ts';
import { parseReference } from '../oci/reference.ts';
import { isYamlMap, MAX_MARKS, parseYamlTexts, requireBoundedYaml } from '../yaml/parse-yaml.ts';
import { LOCK_GENERATED_BY, type ImagesLock, type LockChart, type LockDigest, type LockImage } from './images-lock.ts';

/** Also of what is around it in a file that holds one. */
export const MAX_LOCK_BYTES = 16 * 1024 * 1024;
/** The content of more, with three platforms each, does not fit into a wrap. They take some 100 MiB while they are relocated. */
export const MAX_LOCK_IMAGES = 5_000;
const MAX_IMAGE_DIGESTS = 1_000;

// What stands for "nothing" when every scalar is read as text.
const EMPTY_VALUES: readonly unknown[] = [undefined, '', '~', 'null', 'Null', 'NULL'];

type Reject = (why: string, cause?: unknown) => DtError;

/**
 * Parses Images.lock; `name` is what messages call it. Unknown fields are ignored, a missing `generatedBy` gets its
 * default, apiVersion and kind are not checked: so does the Go tool. Throws DT_LOCK_INVALID, also for bad YAML, digests,
 * references and platforms.
 */
export function parseImagesLock(text: string, name: string): ImagesLock {
  const reject: Reject = (why, cause) => new DtError('DT_LOCK_INVALID', `${name} is not valid: ${why}`, { cause });
  const document = parseDocument(text, name, reject);
  const images = readList(document['images'], 'images', MAX_LOCK_IMAGES, reject);
  return {
    metadata: { generatedBy: LOCK_GENERATED_BY, ...readMetadata(document['metadata'], reject) },
    chart: readChart(document['chart'], reject),
    images: images.map((item) => readImage(item, reject)),
  };
}

/** Throws DT_LIMIT_EXCEEDED for the text of a lock that `parseImagesLock` would refuse for its size. `name` is what messages call it. */
export function requireReadableLock(text: string, images: readonly Pick<LockImage, 'digests'>[], name: string): void {
  const limits: readonly (readonly [count: number, limit: number, what: string])[] = [
    [Buffer.byteLength(text), MAX_LOCK_BYTES, 'bytes'],
    [images.length, MAX_LOCK_IMAGES, 'images'],
    [
      images.reduce((most, { digests }) => Math.max(most, digests.length), 0),
      MAX_IMAGE_DIGESTS,
      'digests of one image',
    ],
  ];
  for (const [count, limit, what] of limits) {
    if (count > limit) throw new DtError('DT_LIMIT_EXCEEDED', `${name} has more than ${String(limit)} ${what}`);
  }
  try {
    requireBoundedYaml(text, name, MAX_MARKS);
  } catch (error) {
    throw new DtError('DT_LIMIT_EXCEEDED', `${name} has too many images with too many platforms`, { cause: error });
  }
}

function parseDocument(text: string, name: string, reject: Reject): Record<string, unknown> {
  if (Buffer.byteLength(text) > MAX_LOCK_BYTES) throw reject(`it has more than ${String(MAX_LOCK_BYTES)} bytes`);
  let document: unknown;
  try {
    document = parseYamlTexts(text, name);
  } catch (error) {
    throw reject('it is not YAML', error);
  }
  if (!isYamlMap(document)) throw reject('it is not a map');
  return document;
}

function readMetadata(value: unknown, reject: Reject): Record<string, string> {
  if (EMPTY_VALUES.includes(value)) return {};
  if (!isYamlMap(value)) throw reject('"metadata" is not a map');
  return Object.fromEntries(Object.keys(value).map((key) => [key, readText(value, key, reject)]));
}

function readChart(value: unknown, reject: Reject): LockChart {
  const chart = EMPTY_VALUES.includes(value) ? {} : value;
  if (!isYamlMap(chart)) throw reject('"chart" is not a map');
  return {
    name: readText(chart, 'name', reject),
    version: readText(chart, 'version', reject),
    appVersion: readText(chart, 'appVersion', reject),
  };
}

function readImage(value: unknown, reject: Reject): LockImage {
  if (!isYamlMap(value)) throw reject('an image is not a map');
  const image = readText(value, 'image', reject);
  check(() => parseReference(image), reject);
  const digests = readList(value['digests'], 'digests', MAX_IMAGE_DIGESTS, reject);
  const indexDigest = readOptionalDigest(value, 'indexDigest', reject);
  const targetIndexDigest = readOptionalDigest(value, 'targetIndexDigest', reject);
  return {
    name: readText(value, 'name', reject),
    image,
    chart: readText(value, 'chart', reject),
    digests: digests.map((item) => readLockDigest(item, reject)),
    ...(indexDigest === undefined ? {} : { indexDigest }),
    ...(targetIndexDigest === undefined ? {} : { targetIndexDigest }),
  };
}

function readLockDigest(value: unknown, reject: Reject): LockDigest {
  if (!isYamlMap(value)) throw reject('a digest is not a map');
  const digest = readOptionalDigest(value, 'digest', reject);
  if (digest === undefined) throw reject('a digest is missing');
  const arch = readText(value, 'arch', reject);
  const variant = readText(value, 'variant', reject);
  check(() => parsePlatform(arch), reject);
  return { digest, arch, ...(variant === '' ? {} : { variant }) };
}

function readOptionalDigest(map: Record<string, unknown>, key: string, reject: Reject): Digest | undefined {
  const text = readText(map, key, reject);
  if (text === '') return undefined;
  if (!isDigest(text)) throw reject(`"${text.slice(0, 160)}" is not a digest`);
  return text;
}

function readList(value: unknown, key: string, maxLength: number, reject: Reject): unknown[] {
  if (EMPTY_VALUES.includes(value)) return [];
  if (!Array.isArray(value)) throw reject(`"${key}" is not a list`);
  if (value.length > maxLength) throw reject(`"${key}" has more than ${String(maxLength)} entries`);
  return value;
}

function readText(map: Record<string, unknown>, key: string, reject: Reject): string {
  const value = map[key] ?? '';
  if (typeof value !== 'string') throw reject(`"${key}" is not a text`);
  return value;
}

function check(parse: () => unknown, reject: Reject): void {
  try {
    parse();
  } catch (error) {
    throw reject(error instanceof Error ? error.message : String(error), error);
  }
}

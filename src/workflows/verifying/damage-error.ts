import { copyError } from '../../domain/error-rules.ts';
import { DtError, EXIT_CODES, isDtError, type ImageFailure } from '../../domain/errors.ts';
import { formatCount } from '../../domain/format-quantity.ts';
import { MAX_DAMAGES, type DamageList, type WrapDamage } from '../../domain/wrap/wrap-damage.ts';

const MAX_NAMED_IMAGES = 5;
const TRUST_CODES = ['DT_SIGNATURE_INVALID', 'DT_SIGNATURE_MISSING'];

/** The one error for everything that is wrong with a wrap; its failures are the list. Undefined if nothing is. */
export function toDamageError(file: string, damages: DamageList): DtError | undefined {
  const list = damages.list();
  const [first] = list;
  if (first === undefined) return undefined;
  const isSound = list.every(({ code }) => TRUST_CODES.includes(code));
  const failures = list.map(toFailure);
  const images = new Set(list.flatMap((damage) => damage.images));
  const unlisted = damages.count - list.length;
  const details = [
    ...(images.size > 0 && list.length > 1 ? [`${formatCount(images.size, 'image')} affected.`] : []),
    ...(unlisted > 0 ? [`${String(unlisted)} more are not listed: only the first ${String(MAX_DAMAGES)} are.`] : []),
  ];
  const what = isSound ? 'cannot be trusted' : 'is damaged';
  return new DtError(
    first.code,
    list.length === 1
      ? `${file} ${what}: ${describeDamage(first)}${describeImages(first)}`
      : `${file} ${what}: ${formatCount(damages.count, 'finding')}`,
    { failures, ...(details.length === 0 ? {} : { detail: details.join(' ') }) },
  );
}

/** A failure that ended the way through the wrap, told like everything else that is wrong with one. Others stay as they are. */
export function toFatalDamage(file: string, error: unknown): unknown {
  if (!isDtError(error) || error.exitCode !== EXIT_CODES.verification || error.failures.length > 0) return error;
  const message = error.message.includes(file) ? error.message : `${file}: ${error.message}`;
  return copyError(error, { message, failures: [{ image: 'the wrap', error, images: [] }] });
}

function toFailure(damage: WrapDamage): ImageFailure {
  const { code, entry, digest, images } = damage;
  return {
    image: images.length > 0 ? nameImages(images) : (entry ?? digest ?? 'the wrap'),
    error: new DtError(code, describeDamage(damage)),
    images,
    ...(entry === undefined ? {} : { entry }),
    ...(digest === undefined ? {} : { digest }),
  };
}

function describeDamage({ message, entry, digest }: WrapDamage): string {
  if (entry !== undefined) return `${entry}: ${message}`;
  return digest === undefined || message.includes(digest) ? message : `${digest}: ${message}`;
}

function describeImages({ images, message }: WrapDamage): string {
  if (images.length === 0 || images.every((image) => message.includes(image))) return '';
  return ` (needed by ${nameImages(images)})`;
}

function nameImages(images: readonly string[]): string {
  const named = images.slice(0, MAX_NAMED_IMAGES).join(', ');
  const others = images.length - MAX_NAMED_IMAGES;
  return others > 0 ? `${named} and ${String(others)} more` : named;
}

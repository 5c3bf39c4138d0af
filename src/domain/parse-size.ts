import { DtError } from './errors.ts';

const UNIT_BYTES: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};

/**
 * The bytes of a size as people write it: `4GB`, `4.7 GB`, `650MiB`, `1000000`. KB, MB, GB and TB are decimal; capitals or not makes no
 * difference. `name` is the flag. Throws DT_USAGE, also for a size that is no whole number of bytes.
 */
export function parseSize(text: string, name: string): number {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text.trim()) ?? [];
  const unitBytes = UNIT_BYTES[unit.toUpperCase()];
  const bytes = digits === '' || unitBytes === undefined ? NaN : Math.round(Number(digits) * unitBytes * 1e3) / 1e3;
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new DtError('DT_USAGE', `${name}=${text} is not a size`, {
    detail:
      'A size is a number of bytes, or one with B, KB, MB, GB, TB (powers of 1000), KiB, MiB, GiB or TiB (powers of 1024).',
  });
}

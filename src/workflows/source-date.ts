import { DtError } from '../domain/errors.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** `SOURCE_DATE_EPOCH` in seconds, or undefined. https://reproducible-builds.org/specs/source-date-epoch/ */
export function readSourceDateSeconds(environment: Environment): number | undefined {
  const text = environment['SOURCE_DATE_EPOCH'];
  if (text === undefined || text === '') return undefined;
  if (!/^[0-9]{1,11}$/.test(text)) {
    throw new DtError('DT_CONFIG_INVALID', `SOURCE_DATE_EPOCH is "${text}", not a number of seconds`);
  }
  return Number(text);
}

/** The time that goes into generated files: `SOURCE_DATE_EPOCH`, else now. */
export function generationTime(environment: Environment): Date {
  const seconds = readSourceDateSeconds(environment);
  return seconds === undefined ? new Date() : new Date(seconds * 1000);
}

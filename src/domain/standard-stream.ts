import { hasOciScheme } from './oci/oci-scheme.ts';

/** What stands for standard input, or standard output, where a file is named. */
export const STANDARD_STREAM = '-';

/** True for the name of a wrap that comes as a stream and can be read once: standard input, or one in a registry. */
export function isStreamedInput(file: string): boolean {
  return file === STANDARD_STREAM || hasOciScheme(file);
}

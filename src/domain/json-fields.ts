import type { DtError } from './errors.ts';
import { isDigest, type Digest } from './oci/digest.ts';

/** Reads the values of a JSON document that somebody else wrote. Each throws the error that the document has for what is wrong. */
export class JsonFields {
  readonly #reject: (why: string) => DtError;

  constructor(reject: (why: string) => DtError) {
    this.#reject = reject;
  }

  record(value: unknown, what: string): Record<string, unknown> {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    throw this.#reject(`${what} is not an object`);
  }

  list(value: unknown, what: string): readonly unknown[] {
    if (Array.isArray(value)) return value;
    throw this.#reject(`${what} is not a list`);
  }

  text(value: unknown, what: string): string {
    if (typeof value === 'string') return value;
    throw this.#reject(`${what} is missing`);
  }

  /** A text that a rule accepts. */
  textThat<Text extends string>(isRight: (text: string) => text is Text, value: unknown, what: string): Text;
  textThat(isRight: (text: string) => boolean, value: unknown, what: string): string;
  textThat(isRight: (text: string) => boolean, value: unknown, what: string): string {
    if (typeof value === 'string' && isRight(value)) return value;
    throw this.#reject(`${what} is not valid`);
  }

  digest(value: unknown): Digest {
    if (typeof value === 'string' && isDigest(value)) return value;
    throw this.#reject('a digest is not valid');
  }

  size(value: unknown, what: string): number {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    throw this.#reject(`${what} is missing`);
  }
}

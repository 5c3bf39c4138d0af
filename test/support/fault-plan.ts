import { createRandom, type Random } from './random.ts';

/** Which body of an exchange a fault is about. */
export type Side = 'request' | 'answer';

/** The request never reaches the registry, or its whole answer is lost after the registry has acted. */
type IsWhole = boolean;

/** One thing that goes wrong with one request. */
export type Fault =
  /** The connection is reset before anything is answered, and new ones are refused for a moment. */
  | { readonly kind: 'refuse'; readonly forMs: number }
  /** The connection is reset at a random byte of a body, if there is one. */
  | { readonly kind: 'reset'; readonly side: Side; readonly isWhole?: IsWhole }
  /** The body of the answer stops at a random byte, and the connection is closed in good order. */
  | { readonly kind: 'cut' }
  /** The body of the answer lacks its end, and its Content-Length says so. */
  | { readonly kind: 'shorten' }
  /** One random bit of a body is another one. */
  | { readonly kind: 'flip'; readonly side: Side }
  /** Nothing moves any more from a random byte of a body on, if there is one. */
  | { readonly kind: 'stall'; readonly side: Side; readonly isWhole?: IsWhole }
  /** The registry is not asked; the headers are made when they are sent, for dates. */
  | { readonly kind: 'status'; readonly status: number; readonly headers?: () => Readonly<Record<string, string>> };

/** Which requests a fault befalls. The first rule that applies to a request decides. */
export interface FaultRule {
  /** One of them, at random. */
  readonly faults: readonly Fault[];
  readonly method?: string;
  /** Path with query. */
  readonly path?: RegExp;
  /** Only these of the matching requests, counted from 1. */
  readonly nth?: readonly number[];
  /** Only this share of the matching requests, from 0 to 1. */
  readonly chance?: number;
}

/** Decides, with the same luck for the same seed, what happens to each request. */
export class FaultPlan {
  readonly random: Random;
  readonly #rules: readonly FaultRule[];
  readonly #matches: number[];

  constructor(rules: readonly FaultRule[], seed: number) {
    this.random = createRandom(seed);
    this.#rules = rules;
    this.#matches = rules.map(() => 0);
  }

  choose(method: string, path: string): Fault | undefined {
    for (const [index, rule] of this.#rules.entries()) {
      if (rule.method !== undefined && rule.method !== method) continue;
      if (rule.path !== undefined && !rule.path.test(path)) continue;
      const count = (this.#matches[index] ?? 0) + 1;
      this.#matches[index] = count;
      if (rule.nth !== undefined && !rule.nth.includes(count)) continue;
      if (rule.chance !== undefined && this.random.below(1_000_000) >= rule.chance * 1_000_000) continue;
      return this.random.pick(rule.faults);
    }
    return undefined;
  }
}

/** What a network does that fails for this share of the requests (from 0 to 1): resets, server errors, rate limits. */
export function flakyNetwork(chance: number): FaultRule[] {
  const faults: readonly Fault[] = [
    { kind: 'reset', side: 'answer' },
    { kind: 'reset', side: 'request' },
    { kind: 'status', status: 500 },
    { kind: 'status', status: 503 },
    { kind: 'status', status: 429 },
  ];
  return [{ faults, chance }];
}

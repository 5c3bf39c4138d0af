import type { ErrorCode } from '../../../src/domain/errors.ts';
import { flakyNetwork, type Fault, type FaultRule } from '../../support/fault-plan.ts';
import type { FaultScript } from '../../support/fault-proxy.ts';

const BLOBS = /\/blobs\/sha256:/;
/** What goes to an upload that has been opened. */
const UPLOADS = /\/blobs\/uploads\/[^?]/;
/** Less than a retry waits for, so that the limit is met. */
const SHORT_IDLE_MS = 1000;
const ONE_HOUR = '3600';

/** One kind of trouble and how it must end. */
export interface FaultRow {
  readonly name: string;
  /** Undefined if the fault cannot happen there. */
  readonly wrap?: FaultScript;
  readonly unwrap?: FaultScript;
  readonly settings?: { readonly retries?: number; readonly idleTimeoutMs?: number };
  /** Without it the run must end as if nothing had happened. */
  readonly failsWith?: ErrorCode;
  /** Another code of an unwrap. */
  readonly unwrapFailsWith?: ErrorCode;
}

export const RECOVERABLE_ROWS: readonly FaultRow[] = [
  { name: 'connections refused', ...both(rule({ kind: 'refuse', forMs: 300 }, { nth: [1, 12] })) },
  {
    name: 'reset in a body',
    wrap: script(rule({ kind: 'reset', side: 'answer' }, { method: 'GET', path: BLOBS, nth: [1, 3, 4, 7] })),
    unwrap: script(rule({ kind: 'reset', side: 'request' }, { path: UPLOADS, nth: [1, 3, 4, 7] })),
  },
  {
    name: 'answer lost',
    wrap: script(rule({ kind: 'reset', side: 'answer', isWhole: true }, { nth: [1, 3, 8, 15] })),
    unwrap: script(
      rule({ kind: 'reset', side: 'answer', isWhole: true }, { method: 'PUT', nth: [1, 4, 11, 16] }),
      rule({ kind: 'reset', side: 'answer', isWhole: true }, { method: 'POST', nth: [2, 3] }),
    ),
  },
  {
    name: 'body cut',
    wrap: script(rule({ kind: 'cut' }, { method: 'GET', nth: [3, 8, 14, 16] })),
    unwrap: script(rule({ kind: 'cut' }, { nth: [3, 9, 14, 30] })),
  },
  {
    name: 'body shorter, length right',
    wrap: script(rule({ kind: 'shorten' }, { method: 'GET', path: BLOBS, nth: [1, 4, 5] })),
  },
  {
    name: 'wrong digest once',
    wrap: script(rule({ kind: 'flip', side: 'answer' }, { method: 'GET', path: BLOBS, nth: [2] })),
    unwrap: script(rule({ kind: 'flip', side: 'request' }, { path: UPLOADS, nth: [2] })),
  },
  {
    name: '429, Retry-After in seconds',
    ...both(
      rule({ kind: 'status', status: 429, headers: () => ({ 'retry-after': '1' }) }, { path: BLOBS, nth: [2, 5] }),
      rule({ kind: 'status', status: 429, headers: () => ({ 'retry-after': '1' }) }, { path: UPLOADS, nth: [2] }),
    ),
  },
  {
    name: '429, Retry-After as a date',
    ...both(
      rule(
        { kind: 'status', status: 429, headers: () => ({ 'retry-after': new Date(Date.now() + 2000).toUTCString() }) },
        { path: BLOBS, nth: [2] },
      ),
    ),
  },
  {
    name: 'burst of 500, 502, 503',
    ...both({
      faults: [500, 502, 503].map((status) => ({ kind: 'status', status })),
      nth: [4, 5, 6, 20, 21, 22, 23],
    }),
  },
  {
    name: 'stall',
    wrap: script(rule({ kind: 'stall', side: 'answer' }, { method: 'GET', path: BLOBS, nth: [1, 3] })),
    unwrap: script(rule({ kind: 'stall', side: 'request' }, { path: UPLOADS, nth: [1, 3] })),
    settings: { idleTimeoutMs: SHORT_IDLE_MS },
  },
  {
    name: 'stall before the answer',
    wrap: script(rule({ kind: 'stall', side: 'answer', isWhole: true }, { nth: [2, 9] })),
    unwrap: script(rule({ kind: 'stall', side: 'answer', isWhole: true }, { method: 'PUT', nth: [1, 5] })),
    settings: { idleTimeoutMs: SHORT_IDLE_MS },
  },
  {
    name: '64 KB/s, slower than the limit',
    wrap: { bytesPerSecond: 64_000 },
    unwrap: { bytesPerSecond: 64_000 },
    settings: { idleTimeoutMs: SHORT_IDLE_MS },
  },
  { name: '10 % of all requests', ...both(...flakyNetwork(0.1)) },
  { name: '30 % of all requests', ...both(...flakyNetwork(0.3)), settings: { retries: 10 } },
];

export const FINAL_ROWS: readonly FaultRow[] = [
  {
    name: 'always 500',
    wrap: script(rule({ kind: 'status', status: 500 }, { path: BLOBS })),
    unwrap: script(rule({ kind: 'status', status: 500 }, { path: UPLOADS })),
    settings: { retries: 1 },
    failsWith: 'DT_REGISTRY_ERROR',
  },
  {
    name: 'always a wrong digest',
    wrap: script(rule({ kind: 'flip', side: 'answer' }, { method: 'GET', path: BLOBS })),
    unwrap: script(rule({ kind: 'flip', side: 'request' }, { path: UPLOADS })),
    settings: { retries: 1 },
    failsWith: 'DT_DIGEST_MISMATCH',
  },
  {
    name: 'always 401',
    ...both(rule({ kind: 'status', status: 401 }, { path: /\/(?:blobs|manifests)\// })),
    failsWith: 'DT_AUTH_REQUIRED',
  },
  {
    name: 'always reset',
    wrap: script(rule({ kind: 'reset', side: 'answer', isWhole: true }, { path: BLOBS })),
    unwrap: script(rule({ kind: 'reset', side: 'answer', isWhole: true }, { method: 'PUT' })),
    settings: { retries: 1 },
    failsWith: 'DT_REGISTRY_UNREACHABLE',
  },
  {
    name: 'always stalled',
    wrap: script(rule({ kind: 'stall', side: 'answer', isWhole: true }, { path: BLOBS })),
    unwrap: script(rule({ kind: 'stall', side: 'answer', isWhole: true }, { method: 'POST' })),
    settings: { retries: 1, idleTimeoutMs: SHORT_IDLE_MS },
    failsWith: 'DT_REGISTRY_UNREACHABLE',
  },
  {
    name: '429 for an hour',
    ...both(
      rule(
        { kind: 'status', status: 429, headers: () => ({ 'retry-after': ONE_HOUR }) },
        { path: /\/(?:blobs|manifests)\// },
      ),
    ),
    failsWith: 'DT_REGISTRY_ERROR',
  },
];

function script(...rules: readonly FaultRule[]): FaultScript {
  return { rules };
}

function both(...rules: readonly FaultRule[]): { readonly wrap: FaultScript; readonly unwrap: FaultScript } {
  return { wrap: { rules }, unwrap: { rules } };
}

function rule(fault: Fault, where: Omit<FaultRule, 'faults'>): FaultRule {
  return { faults: [fault], ...where };
}

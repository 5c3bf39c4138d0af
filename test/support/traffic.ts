const BLOB_PATH = /\/blobs\/(sha256:[0-9a-f]{64})$/;
const UPLOAD_PATH = /\/blobs\/uploads\/[^?]+/;

/** Counts what passes between a client and a registry. */
export class Traffic {
  /** `METHOD PATH` of every request. */
  readonly requests: string[] = [];
  /** Bytes of blobs that went to the client, by digest. */
  readonly fetched = new Map<string, number>();
  /** Sizes of the blobs that the client asked for, by digest. */
  readonly sizes = new Map<string, number>();
  /** Paths of the blobs that the registry took. */
  readonly stored = new Set<string>();
  /** Faults that happened, as `FAULT METHOD PATH`. */
  readonly faults: string[] = [];
  /** Bytes of blobs that came from the client. */
  sentBytes = 0;
  readonly #keys = new Map<string, number>();
  readonly #faultyKeys = new Set<string>();

  addRequest(method: string, path: string, fault: string | undefined): void {
    this.requests.push(`${method} ${path}`);
    if (fault !== undefined) this.faults.push(`${fault} ${method} ${path}`);
    const key = requestKey(method, path);
    if (key === undefined) return;
    this.#keys.set(key, (this.#keys.get(key) ?? 0) + 1);
    if (fault !== undefined) this.#faultyKeys.add(key);
  }

  addFetched(path: string, sizeBytes: number): void {
    const digest = blobDigest(path);
    if (digest !== undefined) this.fetched.set(digest, (this.fetched.get(digest) ?? 0) + sizeBytes);
  }

  addSent(path: string, sizeBytes: number): void {
    if (UPLOAD_PATH.test(path)) this.sentBytes += sizeBytes;
  }

  /** What the registry answered; tells how large blobs are, and which ones it has taken. */
  addAnswer(method: string, path: string, status: number, lengthBytes: number): void {
    const digest = blobDigest(path);
    if (digest !== undefined && status === 200) this.sizes.set(digest, lengthBytes);
    if (method !== 'PUT' || status !== 201 || !UPLOAD_PATH.test(path)) return;
    const uploaded = new URL(path, 'http://localhost').searchParams.get('digest');
    if (uploaded !== null) this.stored.add(path.replace(/uploads\/.*$/, uploaded));
  }

  get fetchedBytes(): number {
    return sum(this.fetched.values());
  }

  /** Bytes of blobs that were sent to the client although it had been sent them before. */
  get refetchedBytes(): number {
    return sum([...this.fetched].map(([digest, bytes]) => Math.max(bytes - (this.sizes.get(digest) ?? 0), 0)));
  }

  /** How often the request was made that needed most tries of those that met a fault. */
  get tries(): number {
    return Math.max(0, ...[...this.#faultyKeys].map((key) => this.#keys.get(key) ?? 0));
  }
}

/** Bytes that came from the client and are in no blob that the registry has taken, or there for the second time. */
export async function countResentBytes(traffic: Traffic, registryHost: string): Promise<number> {
  let storedBytes = 0;
  for (const path of traffic.stored) {
    const { status, headers } = await fetch(`http://${registryHost}${path}`, { method: 'HEAD' });
    if (status !== 200) throw new Error(`HEAD ${path}: ${String(status)}`);
    storedBytes += Number(headers.get('content-length'));
  }
  return traffic.sentBytes - storedBytes;
}

/** The digest of the blob that a path names. */
export function blobDigest(path: string): string | undefined {
  return BLOB_PATH.exec(path)?.[1];
}

/** The same for every try of a request. Undefined for what goes to an upload without saying for which blob. */
function requestKey(method: string, path: string): string | undefined {
  if (!path.includes('/blobs/uploads/')) return `${method} ${path}`;
  const query = new URL(path, 'http://localhost').searchParams;
  const digest = query.get('digest') ?? query.get('mount');
  return digest === null ? undefined : `${method} ${path.replace(/uploads\/.*$/, digest)}`;
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

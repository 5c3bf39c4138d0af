import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream needs a `content-length` header, and is sent once. */
  readonly body?: Uint8Array | Readable | undefined;
  readonly signal?: AbortSignal | undefined;
  /** A digest vouches for the answer, whoever gives it: a redirect may leave TLS. */
  readonly isVerified?: boolean;
  /** The caller tries again by itself: what it gets may be transient. */
  readonly isSingleTry?: boolean;
}

export interface HttpStreamResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The final URL, after redirects. */
  readonly url: URL;
  /** The caller consumes or destroys it. */
  readonly body: Readable;
}

export interface HttpResponse extends Omit<HttpStreamResponse, 'body'> {
  readonly body: Buffer;
}

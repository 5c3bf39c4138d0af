import type { Request } from 'got';
import type { HttpRequest } from './http-message.ts';

/** One request that has ended, well or not. */
export interface RequestRecord {
  readonly method: string;
  /** May hold secrets until it is redacted. */
  readonly url: URL;
  /** Undefined if no answer came. */
  readonly status: number | undefined;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly durationMs: number;
  /** From 1. */
  readonly tryNumber: number;
  /** What broke the request or its body. */
  readonly failure: string | undefined;
}

/** Tells `onRequest` of every request that `body` stands for; a redirect counts as a request of its own. */
export function recordRequest(
  body: Request,
  { method, url }: HttpRequest,
  tryNumber: number,
  onRequest: ((record: RequestRecord) => void) | undefined,
): void {
  if (onRequest === undefined) return;
  let startedAt = performance.now();
  let current: Pick<RequestRecord, 'url' | 'status'> = { url, status: undefined };
  let failure: string | undefined;
  const report = (): void => {
    onRequest({
      method,
      ...current,
      receivedBytes: body.downloadProgress.transferred,
      sentBytes: body.uploadProgress.transferred,
      durationMs: performance.now() - startedAt,
      tryNumber,
      failure,
    });
  };
  body.on('redirect', (updated: { url?: URL | string | undefined }, response: { statusCode: number }) => {
    current = { ...current, status: response.statusCode };
    report();
    startedAt = performance.now();
    current = { url: new URL(String(updated.url ?? url)), status: undefined };
  });
  body.on('response', ({ statusCode }: { statusCode: number }) => {
    current = { ...current, status: statusCode };
  });
  body.on('error', (error) => {
    failure = error.message;
  });
  // A body that was read to its end is not closed.
  let isReported = false;
  const reportOnce = (): void => {
    if (!isReported) report();
    isReported = true;
  };
  body.once('end', reportOnce).once('close', reportOnce);
}

import type { ClientRequest } from 'node:http';
import { pipeline, Readable } from 'node:stream';
import type { Request } from 'got';
import type { HttpRequest } from './http-message.ts';

/**
 * The body goes in here and not as an option: for that got looks at the kind of the body, which loads all of `fetch`. got
 * ends the writable side by itself only for methods without a body. Returns where the failure of a streamed body is kept:
 * its own, not the one that it is destroyed with when the request fails.
 */
export function sendBody(target: Request, { method, body }: HttpRequest): { error?: Error } {
  const source: { error?: Error } = {};
  if (body instanceof Readable) {
    if (body.errored !== null) source.error = body.errored;
    body.on('error', (error) => {
      if (!target.destroyed) source.error = error;
    });
    pipeline(body, target, () => {
      // A failure of either side ends the request, which tells its reader.
    });
  } else if (body !== undefined) target.end(body);
  else if (method !== 'GET' && method !== 'HEAD') target.end();
  return source;
}

/** Waits longer for an answer once the request is sent than for the next bytes of it. */
export function extendIdleLimit(target: Request, timeoutMs: number): void {
  target.once('request', (sent: ClientRequest) => {
    sent.once('finish', () => sent.setTimeout(timeoutMs));
  });
}

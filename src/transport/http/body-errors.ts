import type { Readable } from 'node:stream';
import { toTransportError } from './http-errors.ts';
import type { HttpRequest } from './http-message.ts';

/**
 * Makes a body fail with the errors of this program: a connection that is cut in the middle of a blob is
 * DT_REGISTRY_UNREACHABLE for everyone who reads it. Nothing is copied and no stream is put in between.
 */
export function wordBodyErrors(body: Readable, request: Pick<HttpRequest, 'method' | 'url' | 'signal'>): Readable {
  const destroy = body._destroy.bind(body);
  body._destroy = (error, callback) => {
    destroy(error, (failure) => {
      callback(failure === null || failure === undefined ? null : toTransportError(failure, request));
    });
  };
  return body;
}

import { DtError } from '../domain/errors.ts';
import type { HttpResponse } from './http.ts';

const MAX_MESSAGE_LENGTH = 300;
const MAX_ERRORS = 3;

/** Where a request went, for messages. */
export interface RequestContext {
  readonly method: string;
  readonly registry: string;
  readonly repository: string;
  /** What was asked for, for instance `manifest 1.25` or `blob sha256:…`. */
  readonly what: string;
}

/** The error codes that a registry gave. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes */
export function readRegistryErrors(response: Pick<HttpResponse, 'body'>): { code: string; message: string }[] {
  try {
    const document = JSON.parse(response.body.toString('utf8')) as { errors?: unknown } | null;
    if (!Array.isArray(document?.errors)) return [];
    return document.errors.slice(0, MAX_ERRORS).flatMap((item: unknown) => {
      if (typeof item !== 'object' || item === null) return [];
      const { code, message } = item as Record<string, unknown>;
      return [{ code: typeof code === 'string' ? code : '', message: typeof message === 'string' ? message : '' }];
    });
  } catch {
    return [];
  }
}

/** A 404 to a write is about the repository, or about content that a manifest refers to. */
function isRead({ method }: RequestContext): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** Words an answer that is not the expected one: DT_AUTH_REQUIRED, DT_AUTH_DENIED, DT_NOT_FOUND or DT_REGISTRY_ERROR. */
export function toRegistryError(
  context: RequestContext,
  response: Pick<HttpResponse, 'status' | 'body'>,
  hadCredential: boolean,
): DtError {
  const { registry, repository, what } = context;
  const place = `${registry}/${repository}`;
  const said = readRegistryErrors(response)
    .map(({ code, message }) => [code, message].filter((part) => part !== '').join(': '))
    .join('; ')
    .replaceAll(/\s+/g, ' ')
    .slice(0, MAX_MESSAGE_LENGTH);
  const detail = said === '' ? {} : { detail: `The registry answered: ${said}` };
  switch (response.status) {
    case 401:
      return new DtError('DT_AUTH_REQUIRED', `${place}: authentication required for ${what} (401)`, {
        detail: hadCredential
          ? `The registry refused the credentials for ${registry}.`
          : `No credentials were found for ${registry}.`,
        hints: [`helm registry login ${registry}`],
      });
    case 403:
      return new DtError('DT_AUTH_DENIED', `${place}: access to ${what} is denied (403)`, detail);
    case 404:
      return new DtError(
        'DT_NOT_FOUND',
        `${place}: ${what} ${isRead(context) ? 'was not found' : 'was not accepted'} (404)`,
        detail,
      );
    default:
      return new DtError(
        'DT_REGISTRY_ERROR',
        `${place}: unexpected answer ${String(response.status)} to ${context.method} ${what}`,
        detail,
      );
  }
}

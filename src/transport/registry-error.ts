import { DtError } from '../domain/errors.ts';
import { formatDuration } from '../domain/format-quantity.ts';
import { isEcrHost } from '../domain/oci/ecr-host.ts';
import type { HttpResponse } from './http/http-message.ts';
import { isTransientStatus, MAX_RETRY_AFTER_MS, parseRetryAfter } from './http/retry.ts';

const MAX_MESSAGE_LENGTH = 300;
const MAX_ERRORS = 3;
const MAX_PAGE_START_BYTES = 256;
/** Only registries send these. */
const REGISTRY_HEADERS = ['docker-distribution-api-version', 'docker-content-digest'];
/** Registries say it with statuses from 400 to 412 and codes of their own; the word is in all of them. */
const IMMUTABLE_PATTERN = /immutab/i;

/** Where a request went, for messages. */
export interface RequestContext {
  readonly method: string;
  readonly registry: string;
  /** Empty for the registry as a whole. */
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

/** A manifest may also be refused for what it refers to. */
function isMissingRepository({ method, registry }: RequestContext, said: string): boolean {
  return isEcrHost(registry) && (method === 'POST' || (method === 'PUT' && said.includes('NAME_UNKNOWN')));
}

function toEcrError({ registry, repository }: RequestContext, said: string): DtError {
  const place = `${registry}/${repository}`;
  return new DtError('DT_NOT_FOUND', `${place}: the repository does not exist (404)`, {
    detail: `Amazon ECR wants repositories to be created before anything is pushed.${said === '' ? '' : ` It answered: ${said}`}`,
    hints: [
      '{bin} unwrap WRAP PREFIX --plan to list them all',
      `aws ecr create-repository --repository-name ${repository}`,
    ],
  });
}

/** How long the registry wants to be left alone, if that is longer than anybody waits here. */
function tooLongWaitMs({ status, headers }: Pick<HttpResponse, 'status' | 'headers'>): number | undefined {
  const waitMs = isTransientStatus(status) ? parseRetryAfter(headers['retry-after'], Date.now()) : undefined;
  return waitMs !== undefined && waitMs > MAX_RETRY_AFTER_MS ? waitMs : undefined;
}

function toUnexpectedError(
  context: RequestContext,
  place: string,
  response: Pick<HttpResponse, 'status' | 'headers'>,
  detail: { readonly detail?: string },
): DtError {
  const { method, what } = context;
  const { status } = response;
  const waitMs = tooLongWaitMs(response);
  const message =
    status === 429
      ? `${place}: the registry limits how much it is asked (429 to ${method} ${what})`
      : `${place}: unexpected answer ${String(status)} to ${method} ${what}`;
  return new DtError('DT_REGISTRY_ERROR', message, {
    ...(waitMs === undefined ? detail : { detail: `The registry asks to wait ${formatDuration(waitMs)}.` }),
    ...(status === 429 ? { hints: ['{bin} auth login HOST, as many registries allow more to known users'] } : {}),
    isTransient: isTransientStatus(status) && waitMs === undefined,
    isRefusal: !isRead(context) && status >= 400 && status < 500 && !isTransientStatus(status),
  });
}

/** The error of an answer that is a page for people, such as that of a sign-in portal; undefined for any other. */
export function findWebPage(method: string, { status, url, headers, body }: HttpResponse): DtError | undefined {
  if (status >= 300) return undefined;
  const isMarked = REGISTRY_HEADERS.some((name) => headers[name] !== undefined);
  if (isMarked || !/^text\/html\b/i.test(headers['content-type'] ?? '')) return undefined;
  // Some registries call the empty body of an answer HTML.
  if (method !== 'HEAD' && !/^\s*</.test(body.toString('utf8', 0, MAX_PAGE_START_BYTES))) return undefined;
  return new DtError('DT_REGISTRY_ERROR', `${url.host} answers with a web page instead of the API of a registry`, {
    detail: 'A sign-in page or a proxy may stand in between, or the name may be that of a web site.',
    hints: [`curl -i ${new URL('/v2/', url).href}`],
  });
}

/** What became of a credential in a request that was answered 401. */
export type CredentialUse = 'none' | 'shown' | 'unasked';

const CREDENTIAL_DETAILS: Readonly<Record<CredentialUse, (registry: string) => string>> = {
  none: (registry) => `No credentials were found for ${registry}.`,
  shown: (registry) => `The registry refused the credentials for ${registry}.`,
  unasked: (registry) =>
    `${registry} asks for no way to log in that is known here (basic, bearer), so the credentials were not shown.`,
};

/** Words an answer that is not the expected one: DT_AUTH_REQUIRED, DT_AUTH_DENIED, DT_NOT_FOUND, DT_TAG_EXISTS or DT_REGISTRY_ERROR. */
export function toRegistryError(
  context: RequestContext,
  response: Pick<HttpResponse, 'status' | 'body' | 'headers'>,
  credential: CredentialUse,
): DtError {
  const { registry, repository, what } = context;
  const place = repository === '' ? registry : `${registry}/${repository}`;
  const said = readRegistryErrors(response)
    .map(({ code, message }) => [code, message].filter((part) => part !== '').join(': '))
    .join('; ')
    .replaceAll(/\s+/g, ' ')
    .slice(0, MAX_MESSAGE_LENGTH);
  const detail = said === '' ? {} : { detail: `The registry answered: ${said}` };
  if (context.method === 'PUT' && response.status < 500 && IMMUTABLE_PATTERN.test(said)) {
    const message = `${place}: the registry does not let ${what} be overwritten (${String(response.status)})`;
    return new DtError('DT_TAG_EXISTS', message, { ...detail, hints: ['{bin} unwrap WRAP PREFIX --plan'] });
  }
  switch (response.status) {
    case 401:
      return new DtError('DT_AUTH_REQUIRED', `${place}: authentication required for ${what} (401)`, {
        detail: CREDENTIAL_DETAILS[credential](registry),
        hints: [`{bin} auth login ${registry}`],
      });
    case 403:
      return new DtError('DT_AUTH_DENIED', `${place}: access to ${what} is denied (403)`, detail);
    case 404:
      if (isMissingRepository(context, said)) return toEcrError(context, said);
      return new DtError(
        'DT_NOT_FOUND',
        `${place}: ${what} ${isRead(context) ? 'was not found' : 'was not accepted'} (404)`,
        { ...detail, isRefusal: !isRead(context) },
      );
    default:
      return toUnexpectedError(context, place, response, detail);
  }
}

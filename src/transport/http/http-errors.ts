import { RequestError } from 'got';
import { DtError, errorMessage, systemErrorCode } from '../../domain/errors.ts';
import { interruptionError } from '../../domain/interruption.ts';

/** No connection came about; nothing was sent. */
const CONNECT_FAILURES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EAI_AGAIN',
]);

/** A connection that ended before its time. */
const BROKEN_CONNECTIONS: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_HTTP_CONTENT_LENGTH_MISMATCH',
]);

/** A certificate that is not trusted, which knowing its authority would mend. */
const UNTRUSTED_CERTIFICATES: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
]);

/** A certificate that no authority makes right. */
const WRONG_CERTIFICATES: ReadonlySet<string> = new Set(['CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID']);
/** Names of a certificate that an error tells. */
const MAX_NAMES_LENGTH = 200;

/** How OpenSSL words an answer that is no TLS at all. */
const NO_TLS_FAILURE = /wrong version number|packet length too long|http request/;

const FAILURES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ERR_STREAM_PREMATURE_CLOSE: 'the connection was cut',
  ERR_HTTP_CONTENT_LENGTH_MISMATCH: 'the answer is shorter than it says',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name cannot be looked up',
  ETIMEDOUT: 'no answer in time',
  EHOSTUNREACH: 'no route to the host',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by an unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is signed by an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate is signed by an unknown authority',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files on this machine',
  ERR_TOO_MANY_REDIRECTS: 'it redirects in a circle',
  ERR_UNSUPPORTED_PROTOCOL: 'it redirects to something else than http and https',
  HPE_HEADER_OVERFLOW: 'its headers are too long',
};
/** Codes of the parser of answers begin so. */
const PARSER_CODE = /^HPE_/;

/** True if the other side does not speak TLS at all: the answer of a plain HTTP server to a TLS greeting. */
export function isTlsProtocolError(error: unknown): boolean {
  for (let current = error; current instanceof Error; current = current.cause) {
    const code = systemErrorCode(current) ?? '';
    if (code === 'EPROTO' || code.startsWith('ERR_SSL_') || code === 'ECONNRESET') return true;
  }
  return false;
}

/** True if the host could not be connected to: it may not be there at all. */
export function isConnectFailure(error: unknown): boolean {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (CONNECT_FAILURES.has(systemErrorCode(current) ?? '')) return true;
  }
  return false;
}

interface FailedRequest {
  readonly url: URL;
  readonly signal?: AbortSignal | undefined;
}

/** Words a failure of the connection itself. Errors of ours and interruptions pass through. */
export function toTransportError(error: unknown, request: FailedRequest): Error {
  if (error instanceof DtError) return error;
  if (request.signal?.aborted === true) return interruptionError(request.signal);
  const cause = error instanceof RequestError && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof DtError) return cause;
  const code = systemErrorCode(cause) ?? systemErrorCode(error) ?? '';
  const url = failedUrl(error) ?? request.url;
  return new DtError('DT_REGISTRY_UNREACHABLE', `cannot reach ${url.host}: ${describeFailure(cause)}`, {
    isTransient: CONNECT_FAILURES.has(code) || BROKEN_CONNECTIONS.has(code),
    hints: connectionHints(cause, url),
    cause: error,
  });
}

/** The hop of a redirect that failed. */
function failedUrl(error: unknown): URL | undefined {
  const url = error instanceof RequestError ? error.options.url : undefined;
  return url === undefined ? undefined : new URL(url);
}

function connectionHints(failure: unknown, { host, hostname, protocol }: URL): string[] {
  const code = systemErrorCode(failure) ?? '';
  const takeAny = `--insecure=${host} takes any certificate: only where nobody can stand in between`;
  if (UNTRUSTED_CERTIFICATES.has(code)) {
    return [`--ca-file FILE trusts the authority that signed the certificate of ${host}`, takeAny];
  }
  if (WRONG_CERTIFICATES.has(code)) return [takeAny];
  switch (code) {
    case 'EMFILE':
      return ['raise `ulimit -n` or lower --concurrency'];
    case 'ECONNREFUSED':
      return [`check that ${host} is the right host and port, and that something listens there`];
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return [`check the name ${hostname}; where only a proxy leads out, HTTPS_PROXY and HTTP_PROXY name it`];
    default: {
      const speaksNoTls = protocol === 'https:' && NO_TLS_FAILURE.test(errorMessage(failure));
      return speaksNoTls ? [`--use-plain-http=${host} if it speaks plain HTTP`] : [];
    }
  }
}

function describeFailure(error: unknown): string {
  if (NO_TLS_FAILURE.test(errorMessage(error))) return 'it does not speak TLS';
  const code = systemErrorCode(error) ?? '';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return describeNames(error) ?? FAILURES[code] ?? code;
  if (FAILURES[code] !== undefined) return FAILURES[code];
  return PARSER_CODE.test(code) ? 'it does not speak proper HTTP' : errorMessage(error).replaceAll(/\s+/g, ' ');
}

/** For whom a certificate is, of the error that it is for somebody else: what Node.js has taken from it, in printable ASCII. */
function describeNames(error: unknown): string | undefined {
  const { cert } = error as { readonly cert?: { readonly subjectaltname?: unknown } };
  if (typeof cert?.subjectaltname !== 'string') return undefined;
  const names = cert.subjectaltname
    .slice(0, 2 * MAX_NAMES_LENGTH)
    .replaceAll(/(?:DNS|IP Address):/g, '')
    .replaceAll(/[^ -~]/g, '?');
  const shown = names.length > MAX_NAMES_LENGTH ? `${names.slice(0, MAX_NAMES_LENGTH)}…` : names;
  return `its certificate is for another host: ${shown}`;
}

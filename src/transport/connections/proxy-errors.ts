import { DtError } from '../../domain/errors.ts';
import { isTransientStatus } from '../http/retry.ts';

const AUTHENTICATION_REQUIRED = 407;

/** True for an answer that only a proxy gives. https://www.rfc-editor.org/rfc/rfc9110#section-15.5.8 */
export function isProxyChallenge(status: number): boolean {
  return status === AUTHENTICATION_REQUIRED;
}

/** What a proxy answered instead of letting a request through: never an answer of `target`. */
export function proxyRefusal(target: string, proxyHost: string | undefined, status: number): DtError {
  const proxy = proxyHost === undefined ? 'the proxy' : `the proxy ${proxyHost}`;
  return new DtError('DT_REGISTRY_UNREACHABLE', `cannot reach ${target}: ${proxy} refused (${String(status)})`, {
    isTransient: isTransientStatus(status),
    ...(isProxyChallenge(status)
      ? { detail: 'The proxy wants user and password in its variable: http://USER:PASSWORD@HOST:PORT.' }
      : {}),
    hints: [`NO_PROXY=${target.replace(/:\d+$/, '')} goes there without the proxy`],
  });
}

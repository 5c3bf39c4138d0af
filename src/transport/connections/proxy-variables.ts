import { formatBasic } from '../auth/basic.ts';
import { DtError } from '../../domain/errors.ts';
import { isLoopback } from './address-rules.ts';
import { parseNoProxy } from './no-proxy.ts';

export interface Proxy {
  /** Without user and password. */
  readonly url: URL;
  /** Value of `Proxy-Authorization`. */
  readonly authorization: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the proxies that the environment names: `https_proxy` and `http_proxy` by the scheme of the URL asked for, else
 * `all_proxy`, but for the hosts of `no_proxy` and for loopback. Each goes in upper case too, where lower case has nothing;
 * `HTTP_PROXY` does not count in a CGI program, where it is a header of a stranger. Undefined if there is no proxy at all.
 *
 * The result finds the proxy of a URL. It throws DT_CONFIG_INVALID if that is none that can be used; other URLs still can.
 */
export function readProxies(environment: Environment): ((url: URL) => Proxy | undefined) | undefined {
  const isCgi = isSet(environment['REQUEST_METHOD']);
  const all = findVariable(environment, 'all_proxy', 'ALL_PROXY');
  const secure = findVariable(environment, 'https_proxy', 'HTTPS_PROXY') ?? all;
  const plain = findVariable(environment, 'http_proxy', ...(isCgi ? [] : ['HTTP_PROXY'])) ?? all;
  if (secure === undefined && plain === undefined) return undefined;
  const noProxy = findVariable(environment, 'no_proxy', 'NO_PROXY');
  const goesDirect = parseNoProxy(noProxy?.value ?? '');
  return (url) => {
    const variable = url.protocol === 'https:' ? secure : plain;
    return variable === undefined || isLoopback(url.hostname) || goesDirect(url) ? undefined : parseProxy(variable);
  };
}

interface Variable {
  readonly name: string;
  readonly value: string;
}

function findVariable(environment: Environment, ...names: readonly string[]): Variable | undefined {
  const name = names.find((candidate) => isSet(environment[candidate]));
  return name === undefined ? undefined : { name, value: environment[name]?.trim() ?? '' };
}

function parseProxy({ name, value }: Variable): Proxy {
  const text = value.includes('://') ? value : `http://${value}`;
  // The value may hold a password: no part of it goes into a message.
  const refuse = (why: string): DtError =>
    new DtError('DT_CONFIG_INVALID', `the variable ${name} names no proxy that can be used: ${why}`, {
      detail: 'A proxy is given as http://HOST:PORT or https://HOST:PORT.',
    });
  if (!URL.canParse(text)) throw refuse('it is not a URL');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw refuse(`${url.protocol}// is not supported`);
  const { username, password } = url;
  url.username = '';
  url.password = '';
  return { url: new URL(url.origin), authorization: formatAuthorization(username, password) };
}

function formatAuthorization(username: string, password: string): string | undefined {
  if (username === '' && password === '') return undefined;
  return formatBasic({ username: decode(username), password: decode(password) });
}

/** A `%` that starts no escape stands for itself. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value.trim() !== '';
}

import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { normalizeRegistry } from '../domain/oci/reference.ts';

/** `true`/`false` for every host, or the hosts (`host[:port]`) that it holds for. */
export type HostRule = boolean | readonly string[];

export interface ConnectionOptions {
  /** Hosts of which any certificate is accepted. */
  readonly insecure: HostRule;
  /** Connections to one host at the same time. */
  readonly maxSocketsPerHost: number;
}

/** How a connection to a URL is made: kept alive, and by which agent. Decided anew for every hop of a redirect. */
export interface Connections {
  forUrl(url: URL): { readonly http: HttpAgent; readonly https: HttpsAgent };
}

export function createConnections(options: ConnectionOptions): Promise<Connections> {
  const { maxSocketsPerHost } = options;
  const create = (rejectUnauthorized: boolean): { http: HttpAgent; https: HttpsAgent } => ({
    http: new HttpAgent({ keepAlive: true, maxSockets: maxSocketsPerHost }),
    https: new HttpsAgent({ keepAlive: true, maxSockets: maxSocketsPerHost, rejectUnauthorized }),
  });
  const [strict, lax] = [create(true), create(false)];
  return Promise.resolve({ forUrl: (url: URL) => (appliesTo(options.insecure, url.host) ? lax : strict) });
}

export function appliesTo(rule: HostRule, host: string): boolean {
  return typeof rule === 'boolean' ? rule : rule.map(normalizeRegistry).includes(normalizeRegistry(host));
}

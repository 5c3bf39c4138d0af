import { normalizeRegistry } from '../../domain/oci/reference.ts';

/** `true`/`false` for every host, or the hosts (`host[:port]`) that it holds for. */
export type HostRule = boolean | readonly string[];

/** Port 443 may be written or left out; Docker Hub goes by any of its names. */
export function appliesTo(rule: HostRule, host: string): boolean {
  return typeof rule === 'boolean' ? rule : rule.map(comparableHost).includes(comparableHost(host));
}

function comparableHost(host: string): string {
  return normalizeRegistry(host.toLowerCase().replace(/:443$/, ''));
}

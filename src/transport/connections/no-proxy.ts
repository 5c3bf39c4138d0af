import { BlockList, isIP } from 'node:net';
import { domainToASCII } from 'node:url';

type Matcher = (host: string, port: string) => boolean;

/**
 * Reads a value of `NO_PROXY`: entries between commas or blanks, which are `*`, a domain with everything below it (with or
 * without `.` or `*.` in front), an address, or a network in CIDR form; all but the network may have a `:port`. An entry
 * that is none of these matches nothing. Names are not resolved. The result takes https and http URLs.
 */
export function parseNoProxy(value: string): (url: URL) => boolean {
  const matchers = value
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .map(parseEntry);
  return ({ hostname, port, protocol }) => {
    const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
    const effectivePort = port === '' ? (protocol === 'https:' ? '443' : '80') : port;
    return matchers.some((matches) => matches(host, effectivePort));
  };
}

function parseEntry(entry: string): Matcher {
  if (entry === '*') return () => true;
  const [, network, prefix] = /^(.+)\/(\d{1,3})$/.exec(entry) ?? [];
  if (network !== undefined) return matchNetwork(network.replace(/^\[|\]$/g, ''), Number(prefix));
  const [, bracketed, name, port] = /^(?:\[(.+)\]|([^:]*))(?::(\d+))?$/.exec(entry) ?? [];
  const host = bracketed ?? name ?? entry;
  const isMatch = isIP(host) === 0 ? matchDomain(host) : matchNetwork(host, isIP(host) === 4 ? 32 : 128);
  return (other, otherPort) => (port === undefined || port === otherPort) && isMatch(other, otherPort);
}

function matchDomain(name: string): Matcher {
  const domain = domainToASCII(name.replace(/^\*?\./, '').replace(/\.$/, ''));
  return (host) => domain !== '' && isIP(host) === 0 && (host === domain || host.endsWith(`.${domain}`));
}

function matchNetwork(network: string, prefix: number): Matcher {
  const version = isIP(network);
  if (version === 0 || prefix > (version === 4 ? 32 : 128)) return () => false;
  const list = new BlockList();
  list.addSubnet(network, prefix, version === 4 ? 'ipv4' : 'ipv6');
  return (host) => isIP(host) !== 0 && list.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6');
}

import { isIP } from 'node:net';

/** Where clouds hand out credentials of machines, beside the link-local addresses. */
const METADATA_HOSTS: ReadonlySet<string> = new Set([
  'metadata.google.internal',
  'fd00:ec2::254',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
]);

/** IPv6 addresses that lead to an IPv4 address: mapped, translated, compatible, and NAT64 (RFC 4291, 2765, 6052). */
const EMBEDDED_IPV4 = /^(?:::ffff:|::ffff:0:|::|64:ff9b::)([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

/**
 * True for `localhost`, names below it, 127.0.0.0/8, ::1 and the unspecified addresses, which lead to the same machine. All
 * rules here take the host of a URL, which has decimal and hexadecimal spellings of addresses resolved; what a name resolves
 * to is not looked at.
 */
export function isLoopback(host: string): boolean {
  const address = bareAddress(host);
  if (address === 'localhost' || address.endsWith('.localhost')) return true;
  return ['::1', '::', '0.0.0.0'].includes(address) || (isIP(address) === 4 && address.startsWith('127.'));
}

/** True for loopback and private addresses and the names that stand for them. */
export function isPrivate(host: string): boolean {
  const address = bareAddress(host);
  if (isLoopback(address)) return true;
  if (isIP(address) === 4) return /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2[0-9]|3[01])\.)/.test(address);
  return isIP(address) === 6 && /^f[cd]/.test(address);
}

/** True for link-local addresses and the other places where clouds hand out credentials of machines. */
export function isLinkLocal(host: string): boolean {
  const address = bareAddress(host);
  return (
    METADATA_HOSTS.has(address) ||
    (isIP(address) === 4 && address.startsWith('169.254.')) ||
    (isIP(address) === 6 && /^fe[89ab]/.test(address))
  );
}

/** The bare address of a host of a URL: no brackets, no final dot, an IPv4 address that is embedded in IPv6 as itself. */
function bareAddress(host: string): string {
  const address = host
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
  const embedded = EMBEDDED_IPV4.exec(address);
  if (embedded === null) return address;
  const bits = Number.parseInt(embedded[1] ?? '', 16) * 0x10000 + Number.parseInt(embedded[2] ?? '', 16);
  return [24, 16, 8, 0].map((shift) => String(Math.floor(bits / 2 ** shift) % 256)).join('.');
}

import * as tls from 'node:tls';
import { readHostCertificates, type HostCertificates } from './certificate-folders.ts';
import { appliesTo, type HostRule } from './host-rule.ts';

export interface TlsOptions {
  /** Hosts of which any certificate is accepted. */
  readonly insecure: HostRule;
  /** Authorities that are trusted for every host beside those of Node.js and the system, as PEM. */
  readonly authorities: readonly string[];
  /** Where each host may have a folder of its own; see `readHostCertificates`. */
  readonly certificateFolders: readonly string[];
}

/** How a TLS connection to a host is made. One object for all hosts that share it. */
export interface HostTls {
  readonly secureContext: tls.SecureContext;
  readonly rejectUnauthorized: boolean;
}

/**
 * The TLS settings of hosts (`host[:port]` of an https URL, a hop of a redirect and a proxy like any other). Nothing is
 * loaded before the first host is asked for: the authorities of the system take some 50 ms.
 */
export type TlsSettings = (host: string) => HostTls;

export function createTlsSettings({ insecure, authorities, certificateFolders }: TlsOptions): TlsSettings {
  const byHost = new Map<string, HostTls>();
  const shared = new Map<boolean, HostTls>();
  let trusted: readonly string[] | undefined;

  function create(rejectUnauthorized: boolean, own?: HostCertificates): HostTls {
    trusted ??= trustedAuthorities(authorities);
    const all = [...trusted, ...(own?.authorities ?? [])];
    const pairs = own?.clientPairs ?? [];
    const secureContext = tls.createSecureContext({
      ca: all,
      // As Go and curl do it: a certificate that is trusted needs no trusted root above it.
      allowPartialTrustChain: true,
      ...(pairs.length === 0
        ? {}
        : { cert: pairs.map(({ certificate }) => certificate), key: pairs.map(({ key }) => key) }),
    });
    return { secureContext, rejectUnauthorized };
  }

  function forHost(host: string): HostTls {
    const rejectUnauthorized = !appliesTo(insecure, host);
    const own = readHostCertificates(host, certificateFolders);
    if (own !== undefined) return create(rejectUnauthorized, own);
    const settings = shared.get(rejectUnauthorized) ?? create(rejectUnauthorized);
    shared.set(rejectUnauthorized, settings);
    return settings;
  }

  return (host) => {
    const settings = byHost.get(host) ?? forHost(host);
    byHost.set(host, settings);
    return settings;
  };
}

/** Those of Node.js with `NODE_EXTRA_CA_CERTS`, of the system, and of the user. Before Node.js 22.15 only the first and last. */
function trustedAuthorities(authorities: readonly string[]): string[] {
  // Typed as always there, but the program also runs on older versions.
  const list = tls.getCACertificates as typeof tls.getCACertificates | undefined;
  const builtin = list === undefined ? tls.rootCertificates : [...list('default'), ...list('system')];
  return [...new Set([...builtin, ...authorities].map((certificate) => certificate.trim()))];
}

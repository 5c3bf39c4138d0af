import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { defaultCertificateFolders } from './certificate-folders.ts';
import { appliesTo, type HostRule } from './host-rule.ts';
import { readCaFiles } from './pem-certificates.ts';
import type { Proxy } from './proxy-variables.ts';
import { readProxies } from './proxy-variables.ts';
import { createTlsSettings, type HostTls } from './tls-settings.ts';

export interface ConnectionOptions {
  /** Hosts of which any certificate is accepted. */
  readonly insecure: HostRule;
  /** Connections to one host at the same time. */
  readonly maxSocketsPerHost: number;
  /** Variables that name proxies, and the home of the user. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Files with certificates of authorities, trusted for every host. */
  readonly caFiles?: readonly string[] | undefined;
  /** Default: where Podman and Docker look for the certificates of hosts. */
  readonly certificateFolders?: readonly string[] | undefined;
  /** Default: `PROXY_TIMEOUT_MS`. */
  readonly proxyTimeoutMs?: number | undefined;
}

/** How a connection to a URL is made: kept alive, and by which agent. Decided anew for every hop of a redirect. */
export interface Connections {
  /** The agent for the scheme of the URL. Throws DT_CONFIG_INVALID for certificates and proxies that cannot be used. */
  forUrl(url: URL): { readonly http: HttpAgent } | { readonly https: HttpsAgent };
  /** True if any certificate of the host is accepted. */
  isInsecure(url: URL): boolean;
}

/**
 * Reads the files with authorities and the variables that name proxies; everything else waits until a host is asked for.
 * DT_FILE_NOT_FOUND or DT_CONFIG_INVALID for a file that is not there or no good.
 */
export async function createConnections(options: ConnectionOptions): Promise<Connections> {
  const { maxSocketsPerHost, environment, certificateFolders } = options;
  const tlsOf = createTlsSettings({
    insecure: options.insecure,
    authorities: readCaFiles(options.caFiles ?? []),
    certificateFolders: certificateFolders ?? defaultCertificateFolders(environment),
  });
  const findProxy = readProxies(environment);
  const proxied = findProxy === undefined ? undefined : await createProxiedAgents(options, tlsOf);
  const plain = new HttpAgent({ keepAlive: true, maxSockets: maxSocketsPerHost });
  const secure = new Map<HostTls, HttpsAgent>();
  return {
    isInsecure: (url) => appliesTo(options.insecure, url.host),
    forUrl(url) {
      const proxy = findProxy?.(url);
      if (proxy !== undefined && proxied !== undefined) return proxied(url, proxy);
      if (url.protocol !== 'https:') return { http: plain };
      const tls = tlsOf(url.host);
      const agent = secure.get(tls) ?? new HttpsAgent({ keepAlive: true, maxSockets: maxSocketsPerHost, ...tls });
      secure.set(tls, agent);
      return { https: agent };
    },
  };
}

/** The agents that go through proxies; loads the libraries for it. */
async function createProxiedAgents(
  { maxSocketsPerHost, proxyTimeoutMs }: ConnectionOptions,
  tlsOf: (host: string) => HostTls,
): Promise<(url: URL, proxy: Proxy) => ReturnType<Connections['forUrl']>> {
  const { PROXY_TIMEOUT_MS, RelayAgent, TunnelAgent } = await import('./proxy-agents.ts');
  const relays = new Map<string, InstanceType<typeof RelayAgent>>();
  const tunnels = new Map<HostTls, InstanceType<typeof TunnelAgent>>();
  return (url, proxy) => {
    const proxyTls = proxy.url.protocol === 'https:' ? tlsOf(proxy.url.host) : undefined;
    const options = {
      proxy,
      proxyTls,
      maxSocketsPerHost,
      timeoutMs: Math.min(PROXY_TIMEOUT_MS, proxyTimeoutMs ?? PROXY_TIMEOUT_MS),
    };
    if (url.protocol !== 'https:') {
      const relay = relays.get(proxy.url.href) ?? new RelayAgent(options);
      relays.set(proxy.url.href, relay);
      return { http: relay };
    }
    // There is one proxy for all https targets.
    const tls = tlsOf(url.host);
    const tunnel = tunnels.get(tls) ?? new TunnelAgent(options, tls);
    tunnels.set(tls, tunnel);
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- node:https takes any agent
    return { https: tunnel };
  };
}

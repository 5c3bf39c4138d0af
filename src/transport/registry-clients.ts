import { normalizeRegistry } from '../domain/oci/reference.ts';
import { createConnections } from './connections/connections.ts';
import { createCredentialResolver, type CredentialResolver, type GivenCredential } from './auth/credentials.ts';
import { appliesTo, type HostRule } from './connections/host-rule.ts';
import { createHttpClient, type HttpClient, type HttpOptions } from './http/http-client.ts';
import { RegistryClient } from './registry-client.ts';
import { createRetryPolicy } from './http/retry.ts';

/** Requests, and blobs, on their way at the same time. */
export const DEFAULT_CONCURRENCY = 8;

export interface RegistryClientsOptions {
  readonly userAgent: string;
  /** Accept any certificate, and plain HTTP where a registry speaks no TLS. */
  readonly insecure: HostRule;
  readonly usePlainHttp: HostRule;
  /** Environment variables: credential files, proxies. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** For one registry, before anything that a file holds. */
  readonly credential?: GivenCredential | undefined;
  /** Ends credential helpers and token requests that are at work. */
  readonly signal?: AbortSignal | undefined;
  /** Files with certificates of authorities, trusted beside those of the system. */
  readonly caFiles?: readonly string[];
  readonly concurrency?: number | undefined;
  /** Tries after the first one. */
  readonly retries?: number | undefined;
  readonly idleTimeoutMs?: number | undefined;
  readonly onRequest?: HttpOptions['onRequest'];
  readonly onPause?: HttpOptions['onPause'];
}

/** The clients of one run, one for each registry, with shared connections and credentials. */
export interface RegistryClients {
  forRegistry(registry: string): RegistryClient;
  /** What the user gave for one host on the command line. */
  readonly given: GivenCredential | undefined;
  /** What a registry would be shown, and where that was found. */
  readonly findCredential: CredentialResolver;
  /** HTTP for what is no registry: chart repositories and foreign layers. */
  readonly http: HttpClient;
}

export async function createRegistryClients(options: RegistryClientsOptions): Promise<RegistryClients> {
  const { userAgent, insecure, usePlainHttp, environment, concurrency = DEFAULT_CONCURRENCY } = options;
  const findCredential = createCredentialResolver({ environment, given: options.credential, signal: options.signal });
  // Twice the concurrency: a copy between two repositories of one registry holds a download and an upload.
  const connections = await createConnections({
    insecure,
    maxSocketsPerHost: 2 * concurrency,
    environment,
    caFiles: options.caFiles,
    proxyTimeoutMs: options.idleTimeoutMs,
  });
  const http = createHttpClient({
    userAgent,
    connections,
    retryPolicy: createRetryPolicy(options.retries),
    idleTimeoutMs: options.idleTimeoutMs,
    onRequest: options.onRequest,
    onPause: options.onPause,
  });
  const clients = new Map<string, RegistryClient>();
  return {
    http,
    given: options.credential,
    findCredential,
    forRegistry(name) {
      const registry = normalizeRegistry(name);
      let client = clients.get(registry);
      if (client === undefined) {
        client = new RegistryClient(registry, {
          http,
          credentials: async (host, repository) => (await findCredential(host, repository))?.credential,
          usePlainHttp: appliesTo(usePlainHttp, registry),
          allowPlainHttp: appliesTo(insecure, registry),
          signal: options.signal,
        });
        clients.set(registry, client);
      }
      return client;
    },
  };
}

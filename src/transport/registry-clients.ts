import { normalizeRegistry } from '../domain/oci/reference.ts';
import { createCredentialSource } from './credentials.ts';
import { createHttpClient, type HttpClient, type HttpOptions } from './http.ts';
import { RegistryClient } from './registry-client.ts';

/** `true`/`false` for every registry, or the registries (`host[:port]`) that it holds for. */
export type HostRule = boolean | readonly string[];

export interface RegistryClientsOptions {
  readonly userAgent: string;
  /** Accept any certificate, and plain HTTP where a registry speaks no TLS. */
  readonly insecure: HostRule;
  readonly usePlainHttp: HostRule;
  /** Environment variables that name credential files. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly onRequest?: HttpOptions['onRequest'];
}

/** The clients of one run, one for each registry, with shared connections and credentials. */
export interface RegistryClients {
  forRegistry(registry: string): RegistryClient;
  /** HTTP for what is no registry: chart repositories and foreign layers. */
  readonly http: HttpClient;
}

export function createRegistryClients(options: RegistryClientsOptions): RegistryClients {
  const credentials = createCredentialSource(options.environment);
  const { userAgent, onRequest } = options;
  const strict = createHttpClient({ userAgent, onRequest, isInsecure: options.insecure === true });
  let insecure: HttpClient | undefined;
  const clients = new Map<string, RegistryClient>();
  return {
    http: strict,
    forRegistry(name) {
      const registry = normalizeRegistry(name);
      let client = clients.get(registry);
      if (client === undefined) {
        const isInsecure = appliesTo(options.insecure, registry);
        if (isInsecure) insecure ??= createHttpClient({ userAgent, onRequest, isInsecure: true });
        client = new RegistryClient(registry, {
          http: isInsecure && insecure !== undefined ? insecure : strict,
          credentials,
          usePlainHttp: appliesTo(options.usePlainHttp, registry),
          allowPlainHttp: isInsecure,
        });
        clients.set(registry, client);
      }
      return client;
    },
  };
}

function appliesTo(rule: HostRule, registry: string): boolean {
  return typeof rule === 'boolean' ? rule : rule.map(normalizeRegistry).includes(registry);
}

import { PRODUCT_VERSION } from '../domain/product.ts';
import { redactSecrets } from '../domain/redact.ts';
import { createRegistryClients, type HostRule } from '../transport/registry-clients.ts';
import { DEFAULT_CONCURRENCY, type RunContext } from './context.ts';

export interface ContextOptions extends Pick<RunContext, 'reporter' | 'prompter' | 'signal' | 'environment'> {
  readonly insecure: HostRule;
  readonly usePlainHttp: HostRule;
  /** Overrides `$HELM_REGISTRY_CONFIG`. */
  readonly registryConfigPath?: string | undefined;
}

/** Everything that workflows share in one run. Loads the HTTP client, so commands import it when they need it. */
export function createRunContext(options: ContextOptions): RunContext {
  const { reporter, prompter, signal, insecure, usePlainHttp, registryConfigPath } = options;
  const environment =
    registryConfigPath === undefined
      ? options.environment
      : { ...options.environment, HELM_REGISTRY_CONFIG: registryConfigPath };
  const clients = createRegistryClients({
    userAgent: `helm-dt/${PRODUCT_VERSION}`,
    insecure,
    usePlainHttp,
    environment,
    onRequest: ({ method, url, status, durationMs }) => {
      reporter.debug(redactSecrets(`${method} ${url.href} ${String(status)} ${durationMs.toFixed(0)} ms`));
    },
  });
  return { clients, reporter, prompter, signal, environment, concurrency: DEFAULT_CONCURRENCY };
}

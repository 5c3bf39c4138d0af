import { formatDuration } from '../domain/format-quantity.ts';
import { PRODUCT_VERSION } from '../domain/product.ts';
import { redactSecrets } from '../domain/redact.ts';
import type { GivenCredential } from '../transport/auth/credentials.ts';
import type { HostRule } from '../transport/connections/host-rule.ts';
import type { RequestRecord } from '../transport/http/request-record.ts';
import { createRegistryClients, DEFAULT_CONCURRENCY } from '../transport/registry-clients.ts';
import type { RunContext } from './context.ts';
import { KEY_PASSWORD_VARIABLE } from './verifying/trust-files.ts';

export interface ContextOptions extends Pick<RunContext, 'reporter' | 'prompter' | 'signal' | 'environment'> {
  readonly insecure: HostRule;
  readonly usePlainHttp: HostRule;
  readonly caFiles: readonly string[];
  /** For one registry, before anything that a file holds. */
  readonly credential?: GivenCredential | undefined;
  readonly concurrency?: number | undefined;
  readonly retries?: number | undefined;
  readonly idleTimeoutMs?: number | undefined;
  /** Overrides `$HELM_REGISTRY_CONFIG`. */
  readonly registryConfigPath?: string | undefined;
}

/** Everything that workflows share in one run. Loads the HTTP client, so commands import it when they need it. */
export async function createRunContext(options: ContextOptions): Promise<RunContext> {
  const { reporter, prompter, signal, registryConfigPath, concurrency = DEFAULT_CONCURRENCY, ...transport } = options;
  const environment =
    registryConfigPath === undefined
      ? options.environment
      : { ...options.environment, HELM_REGISTRY_CONFIG: registryConfigPath };
  const clients = await createRegistryClients({
    ...transport,
    userAgent: `helm-dt/${PRODUCT_VERSION}`,
    // Credential helpers need not know how a wrap is signed.
    environment: { ...environment, [KEY_PASSWORD_VARIABLE]: undefined },
    signal,
    concurrency,
    onRequest: (record) => {
      reporter.debug(describeRequest(record));
    },
    onPause: (host, waitMs) => {
      reporter.info(`${host} asks to wait ${formatDuration(waitMs)} before the next request`);
    },
  });
  return { clients, reporter, prompter, signal, environment, concurrency };
}

function describeRequest(record: RequestRecord): string {
  const { method, url, status, receivedBytes, sentBytes, durationMs, tryNumber, failure } = record;
  return redactSecrets(
    [
      `${method} ${url.href} ${status === undefined ? 'no answer' : String(status)}`,
      `received ${String(receivedBytes)} bytes`,
      ...(sentBytes > 0 ? [`sent ${String(sentBytes)} bytes`] : []),
      `${durationMs.toFixed(0)} ms`,
      `try ${String(tryNumber)}`,
      ...(failure === undefined ? [] : [failure]),
    ].join(', '),
  );
}

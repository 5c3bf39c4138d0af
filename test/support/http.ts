import { createConnections } from '../../src/transport/connections/connections.ts';
import { createHttpClient, type HttpClient, type HttpOptions } from '../../src/transport/http/http-client.ts';

/** Delays that tests can wait for. */
export const QUICK_RETRIES = { retries: 3, minDelayMs: 5, maxDelayMs: 20 } as const;

/** An HTTP client that trusts what Node.js trusts and asks no proxy. */
export async function createTestHttpClient(options: Partial<HttpOptions> = {}): Promise<HttpClient> {
  const connections = await createConnections({ insecure: false, maxSocketsPerHost: 16, environment: {} });
  return createHttpClient({ userAgent: 'test', connections, retryPolicy: QUICK_RETRIES, ...options });
}

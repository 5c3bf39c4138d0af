import type { RegistryClient } from './registry-client.ts';
import { uploadLocation } from './upload-session.ts';

/**
 * Opens an upload and cancels it: true permission to push, without a byte of content. Throws DT_AUTH_REQUIRED,
 * DT_AUTH_DENIED, DT_NOT_FOUND for a repository that must exist first, and what else the registry answers.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs
 */
export async function probeUpload(client: RegistryClient, repository: string, signal: AbortSignal): Promise<void> {
  const request = { repository, action: 'push', what: 'upload', signal } as const;
  const session = await client.send({
    ...request,
    method: 'POST',
    path: 'blobs/uploads/',
    headers: { 'content-length': '0' },
    expect: [202],
  });
  const location = uploadLocation(session, client.registry);
  try {
    await client.send({ ...request, method: 'DELETE', path: location, expect: [204], isSingleTry: true });
  } catch (error) {
    // The permission is proven. Some registries cannot cancel an upload: it ends there by itself.
    if (signal.aborted) throw error;
  }
}

import type { ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { RegistryStore } from '../../src/content/registry-store.ts';
import { parseDigest, type Digest } from '../../src/domain/oci/digest.ts';
import { MEDIA_TYPE_OCI_INDEX, MEDIA_TYPE_OCI_MANIFEST } from '../../src/domain/oci/media-types.ts';
import type { RegistryClient } from '../../src/transport/registry-client.ts';
import { createPlainClient } from './attached.ts';
import { createTestHttpClient } from './http.ts';
import {
  createContent,
  sendJson,
  serveContent,
  useScriptedServer,
  type RecordedRequest,
  type ScriptedServer,
} from './scripted-server.ts';

export type Answer = (request: RecordedRequest, response: ServerResponse) => void;

export interface Answers {
  /** Default: 404, as a registry without that API. */
  readonly referrers?: Answer;
  /** Default: 403. */
  readonly tags?: Answer;
  readonly content?: ReturnType<typeof createContent>;
}

export interface AttachedSite {
  readonly store: RegistryStore;
  readonly server: ScriptedServer;
  /** Another client of the registry, which knows nothing yet. */
  readonly createClient: () => RegistryClient;
  /** `METHOD PATH` below the repository of what was asked, without the query. */
  readonly asked: (kind: 'referrers' | 'tags' | 'manifests') => string[];
}

export const answerWith =
  (status: number, document: unknown, headers?: Readonly<Record<string, string>>): Answer =>
  (_, response) => {
    sendJson(response, status, document, headers);
  };

/** A registry whose repository `a/b` answers as the test wants. */
export async function openAttachedSite(t: TestContext, answers: Answers): Promise<AttachedSite> {
  const content = answers.content ?? createContent();
  const server = await useScriptedServer(t, (request, response) => {
    if (request.url.includes('/referrers/')) (answers.referrers ?? answerWith(404, {}))(request, response);
    else if (request.url.includes('/tags/list')) (answers.tags ?? answerWith(403, {}))(request, response);
    else serveContent(content, request, response);
  });
  const http = await createTestHttpClient();
  const createClient = (): RegistryClient => createPlainClient(http, server.host);
  return {
    store: new RegistryStore(createClient(), 'a/b'),
    server,
    createClient,
    asked: (kind) =>
      server.requests
        .filter(({ url }) => url.startsWith(`/v2/a/b/${kind}/`))
        .map(({ method, url }) => `${method} ${url.replace(/^\/v2\/a\/b\/[a-z]+\//, '').replace(/\?.*/, '')}`),
  };
}

export const indexOf = (...digests: readonly Digest[]): unknown => ({
  schemaVersion: 2,
  mediaType: MEDIA_TYPE_OCI_INDEX,
  manifests: digests.map((digest) => ({ mediaType: MEDIA_TYPE_OCI_MANIFEST, digest, size: 1 })),
});

/** The API of a registry in which these digests are attached. */
export const referrersOf =
  (attached: Readonly<Record<Digest, readonly Digest[]>>): Answer =>
  (request, response) => {
    const subject = parseDigest(request.url.slice(request.url.lastIndexOf('/') + 1));
    sendJson(response, 200, indexOf(...(attached[subject] ?? [])), { 'content-type': MEDIA_TYPE_OCI_INDEX });
  };

export const tagsOf = (...tags: readonly string[]): Answer => answerWith(200, { name: 'a/b', tags });

import { deleteBlob, getBlob } from './blob-handlers.ts';
import type { Exchange } from './exchange.ts';
import type { HandlerContext } from './handler-context.ts';
import { listRepositories, listTags } from './listing-handlers.ts';
import { deleteManifest, getManifest } from './manifest-handlers.ts';
import { parseRoute, type Route } from './parse-route.ts';
import { putManifest } from './put-manifest.ts';
import { listReferrers } from './referrers.ts';
import type { RegistryWriter } from './registry-backend.ts';
import { continueUpload, startUpload } from './upload-handlers.ts';

const READ_METHODS: readonly string[] = ['GET', 'HEAD'];
/** Methods of each kind of route on a registry that can be written. */
const METHODS: Readonly<Record<Exclude<Route['kind'], 'invalid'>, readonly string[]>> = {
  base: READ_METHODS,
  catalog: READ_METHODS,
  tags: READ_METHODS,
  referrers: READ_METHODS,
  manifest: [...READ_METHODS, 'PUT', 'DELETE'],
  blob: [...READ_METHODS, 'DELETE'],
  uploads: ['POST'],
  upload: ['GET', 'PATCH', 'PUT', 'DELETE'],
};

/** Answers one request. Errors that are not the client's are thrown. */
export async function routeRequest(context: HandlerContext, exchange: Exchange): Promise<void> {
  const route = parseRoute(exchange.request.url ?? '');
  if (route.kind === 'invalid') {
    exchange.fail(route.code, route.message, { status: route.status });
    return;
  }
  const { writer } = context.backend;
  const isUpload = route.kind === 'uploads' || route.kind === 'upload';
  const writable = METHODS[route.kind];
  const allowed = writer !== undefined ? writable : isUpload ? [] : READ_METHODS;
  if (!allowed.includes(exchange.method)) {
    const message = writable.includes(exchange.method) ? 'the registry is read-only' : 'the method is not supported';
    exchange.fail('UNSUPPORTED', message, { headers: { Allow: allowed.join(', ') } });
    return;
  }
  if (writer !== undefined && (isUpload || !READ_METHODS.includes(exchange.method))) {
    await routeWrite(context, writer, exchange, route);
  } else {
    await routeRead(context, exchange, route);
  }
}

async function routeRead(context: HandlerContext, exchange: Exchange, route: Route): Promise<void> {
  switch (route.kind) {
    case 'base':
      exchange.respondJson(200, {});
      return;
    case 'catalog':
      return listRepositories(context, exchange);
    case 'tags':
      return listTags(context, exchange, route.repository);
    case 'manifest':
      return getManifest(context, exchange, route.repository, route.tagOrDigest);
    case 'blob':
      return getBlob(context, exchange, route.repository, route.digest);
    case 'referrers':
      return listReferrers(context, exchange, route.repository, route.digest);
    case 'uploads':
    case 'upload':
    case 'invalid':
      return;
  }
}

async function routeWrite(
  context: HandlerContext,
  writer: RegistryWriter,
  exchange: Exchange,
  route: Route,
): Promise<void> {
  switch (route.kind) {
    case 'manifest':
      return exchange.method === 'PUT'
        ? putManifest(context, writer, exchange, route.repository, route.tagOrDigest)
        : deleteManifest(writer, exchange, route.repository, route.tagOrDigest);
    case 'blob':
      return deleteBlob(writer, exchange, route.repository, route.digest);
    case 'uploads':
      return startUpload(writer, exchange, route.repository);
    case 'upload':
      return continueUpload(context, writer, exchange, route.repository, route.id);
    case 'base':
    case 'catalog':
    case 'tags':
    case 'referrers':
    case 'invalid':
      return;
  }
}

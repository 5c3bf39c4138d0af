import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { MAX_PROVENANCE_BYTES, type PackagedOrigin } from '../../domain/chart/chart-origin.ts';
import { MAX_CHART_BYTES } from '../../domain/chart/chart-tree.ts';
import { hasOciScheme } from '../../domain/oci/oci-scheme.ts';
import { DtError, systemErrorCode } from '../../domain/errors.ts';
import { selectChartVersion } from '../../domain/version/select-version.ts';
import { isYamlMap, parseYaml } from '../../domain/yaml/parse-yaml.ts';
import { formatBasic } from '../../transport/auth/basic.ts';
import type { HttpResponse } from '../../transport/http/http-message.ts';
import type { RunContext } from '../context.ts';
import { downloadOciChart } from './download-oci-chart.ts';
import { readProvenanceFile } from './read-provenance.ts';

/** Index files of the largest public repositories have some 20 MB. */
const MAX_INDEX_BYTES = 128 * 1024 * 1024;

export type RepositoryChart =
  | { readonly repositoryUrl: string; readonly name: string }
  /** `ALIAS/NAME`, ALIAS from Helm's repositories file. */
  | { readonly alias: string };

interface Repository {
  readonly url: URL;
  readonly authorization: string | undefined;
  /** Send the credentials also to other hosts that the index names. */
  readonly passCredentialsAll: boolean;
}

/**
 * A chart in a chart repository, with its provenance if the repository has one. https://helm.sh/docs/topics/chart_repository/
 */
export async function downloadRepositoryChart(
  chart: RepositoryChart,
  version: string | undefined,
  context: RunContext,
): Promise<PackagedOrigin> {
  const { repository, name } = await findRepository(chart, context);
  const entry = await findEntry(repository, name, version, context);
  if (hasOciScheme(entry.url)) return downloadOciChart(entry.url, undefined, context);
  const url = resolveUrl(entry.url, repository.url);
  const archive = await download(repository, url, MAX_CHART_BYTES, context);
  if (entry.sha256 !== undefined && createHash('sha256').update(archive).digest('hex') !== entry.sha256) {
    throw new DtError('DT_DIGEST_MISMATCH', `the archive of ${name} does not have the digest that its repository says`);
  }
  const provenance = await readProvenanceFile(
    name,
    archive,
    async () => downloadProvenance(repository, url, context),
    context,
  );
  return { archive, ...(provenance === undefined ? {} : { provenance }) };
}

/** The `.prov` beside the archive; undefined if there is none. Object storage answers 403 for what is not there. */
async function downloadProvenance(
  repository: Repository,
  archive: URL,
  context: RunContext,
): Promise<Buffer | undefined> {
  const url = new URL(archive);
  url.pathname += '.prov';
  const response = await request(repository, url, MAX_PROVENANCE_BYTES, context);
  return response.status === 403 || response.status === 404 ? undefined : bodyOf(response, url);
}

/** True for `ALIAS/NAME` if Helm knows the alias. */
export async function isRepositoryAlias(location: string, context: RunContext): Promise<boolean> {
  const [alias, name, ...more] = location.split('/');
  if (alias === undefined || alias === '' || name === undefined || name === '' || more.length > 0) return false;
  return (await readRepositories(context)).some((repository) => repository['name'] === alias);
}

async function findRepository(
  chart: RepositoryChart,
  context: RunContext,
): Promise<{ repository: Repository; name: string }> {
  if ('repositoryUrl' in chart) {
    const { url, authorization } = parseRepositoryUrl(chart.repositoryUrl);
    const { given } = context.clients;
    const repository = {
      url,
      authorization: given?.registry === url.host ? formatBasic(given) : authorization,
      passCredentialsAll: false,
    };
    return { repository, name: chart.name };
  }
  const [alias = '', name = ''] = chart.alias.split('/');
  const entry = (await readRepositories(context)).find((repository) => repository['name'] === alias);
  const url = entry?.['url'];
  if (entry === undefined || typeof url !== 'string') {
    throw new DtError('DT_REPOSITORY_UNKNOWN', `Helm knows no repository "${alias}"`, { hints: ['helm repo list'] });
  }
  const { username, password } = entry;
  const parsed = parseRepositoryUrl(url);
  const authorization =
    typeof username === 'string' && username !== '' && typeof password === 'string'
      ? formatBasic({ username, password })
      : parsed.authorization;
  return {
    repository: { url: parsed.url, authorization, passCredentialsAll: entry['pass_credentials_all'] === true },
    name,
  };
}

function parseRepositoryUrl(text: string): Omit<Repository, 'passCredentialsAll'> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new DtError('DT_USAGE', `"${text}" is not the URL of a chart repository`);
  }
  const credential = { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
  url.username = '';
  url.password = '';
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return { url, authorization: credential.username === '' ? undefined : formatBasic(credential) };
}

async function readRepositories(context: RunContext): Promise<Record<string, unknown>[]> {
  const { environment } = context;
  const configHome =
    environment['HELM_CONFIG_HOME'] ?? join(environment['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), 'helm');
  const path = environment['HELM_REPOSITORY_CONFIG'] ?? join(configHome, 'repositories.yaml');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw new DtError('DT_CONFIG_INVALID', `cannot read Helm's repositories file ${path}`, { cause: error });
  }
  const document = parseYaml(text, path);
  const repositories = isYamlMap(document) ? document['repositories'] : undefined;
  return Array.isArray(repositories) ? repositories.filter(isYamlMap) : [];
}

async function findEntry(
  repository: Repository,
  name: string,
  wanted: string | undefined,
  context: RunContext,
): Promise<{ url: string; sha256: string | undefined }> {
  const indexUrl = resolveUrl('index.yaml', repository.url);
  const text = (await download(repository, indexUrl, MAX_INDEX_BYTES, context)).toString('utf8');
  const index = parseYaml(text, 'index.yaml of the chart repository');
  const entries = isYamlMap(index) && isYamlMap(index['entries']) ? index['entries'] : {};
  const versions = Array.isArray(entries[name]) ? entries[name].filter(isYamlMap) : [];
  const version = selectChartVersion(
    versions.map((entry) => String(entry['version'])),
    wanted,
  );
  const entry = versions.find((candidate) => String(candidate['version']) === version);
  const url = Array.isArray(entry?.['urls']) ? (entry['urls'] as unknown[])[0] : undefined;
  if (entry === undefined || typeof url !== 'string') {
    throw new DtError(
      'DT_CHART_VERSION_NOT_FOUND',
      `the repository ${repository.url.host} has no chart ${name}${wanted === undefined ? '' : ` with a version that matches ${wanted}`}`,
      wanted === undefined ? {} : { hints: [`{bin} wrap ${name} --repo ${repository.url.href}`] },
    );
  }
  const sha256 = typeof entry['digest'] === 'string' ? entry['digest'].replace(/^sha256:/, '') : undefined;
  return { url, sha256: sha256 !== undefined && /^[a-f0-9]{64}$/.test(sha256) ? sha256 : undefined };
}

function resolveUrl(text: string, base: URL): URL {
  const url = URL.canParse(text, base) ? new URL(text, base) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new DtError('DT_CHART_INVALID', `the chart repository names "${text}", which is not a URL`);
  }
  return url;
}

async function download(repository: Repository, url: URL, limitBytes: number, context: RunContext): Promise<Buffer> {
  return bodyOf(await request(repository, url, limitBytes, context), url);
}

async function request(
  repository: Repository,
  url: URL,
  limitBytes: number,
  context: RunContext,
): Promise<HttpResponse> {
  const isOwn = url.origin === repository.url.origin || repository.passCredentialsAll;
  const headers = repository.authorization === undefined || !isOwn ? {} : { authorization: repository.authorization };
  return context.clients.http.send({ method: 'GET', url, headers, signal: context.signal }, limitBytes);
}

function bodyOf({ status, body }: HttpResponse, url: URL): Buffer {
  if (status === 200) return body;
  if (status === 401 || status === 403) {
    throw new DtError('DT_AUTH_REQUIRED', `${url.host} refused ${url.pathname} (${String(status)})`, {
      hints: ['helm repo add --username …'],
    });
  }
  if (status === 404) throw new DtError('DT_NOT_FOUND', `${url.host} has no ${url.pathname} (404)`);
  throw new DtError('DT_REGISTRY_ERROR', `${url.host} answered ${String(status)} to ${url.pathname}`);
}

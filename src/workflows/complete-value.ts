import { isStreamedInput } from '../domain/standard-stream.ts';
import { hasOciScheme } from '../domain/oci/oci-scheme.ts';
import type { Environment } from '../transport/auth/credential-files.ts';
import { ANY_FILE, NOTHING, toWords, type Completion } from './completing/completion.ts';
import { listFolder, listPaths, type PathChoice } from './completing/list-paths.ts';

/** What an argument or the value of a flag names. */
export type ValueKind =
  | 'chart'
  | 'chart-values'
  | 'file'
  | 'folder'
  | 'image'
  | 'nothing'
  | 'registry'
  | 'registry-url'
  | 'wrap'
  | 'wrapped-chart'
  | 'yaml-file';

export interface ValueRequest {
  readonly kind: ValueKind;
  /** What is typed of it; empty for nothing yet. */
  readonly word: string;
  /** The arguments in front of it, flags and their values left out. */
  readonly args: readonly string[];
}

export interface CompletionContext {
  /** Variables of the process. */
  readonly environment: Environment;
  readonly signal: AbortSignal;
}

const WRAPS: PathChoice = { extensions: ['wrap.tgz', 'wrap.tgz.001'] };
const CHARTS: PathChoice = { extensions: ['tgz'], markerFile: 'Chart.yaml' };
const YAML_EXTENSIONS = ['yaml', 'yml', 'json'];
/** They are part of a chart as well, and hold no values. */
const CHART_DOCUMENTS = ['Chart.yaml', 'requirements.yaml'];

/** What a value may be, by what is on this machine: nothing is asked of a network. May throw what reading a wrap throws. */
export async function completeValue(request: ValueRequest, context: CompletionContext): Promise<Completion> {
  const { kind, word, args } = request;
  switch (kind) {
    case 'nothing':
      return NOTHING;
    case 'file':
      return ANY_FILE;
    case 'folder':
      return { kind: 'folders' };
    case 'yaml-file':
      return { kind: 'files', extensions: YAML_EXTENSIONS };
    case 'chart':
      return hasOciScheme(word) ? NOTHING : listPaths(word, CHARTS, context.environment['HOME']);
    case 'wrap':
      return hasOciScheme(word) ? NOTHING : listPaths(word, WRAPS, context.environment['HOME']);
    case 'chart-values':
      return toWords(await listValuesFiles(args[0]));
    case 'wrapped-chart':
      return toWords(await listCharts(args[0], context.signal));
    case 'image':
      return toWords([...(await listImages()), ...(await listHosts(context)).map((host) => `${host}/`)]);
    case 'registry':
      return toWords(await listHosts(context));
    case 'registry-url':
      return toWords((await listHosts(context)).map((host) => `oci://${host}/`));
  }
}

async function listValuesFiles(chart: string | undefined): Promise<string[]> {
  if (chart === undefined) return [];
  const names = ((await listFolder(chart, '')) ?? []).filter((entry) => !entry.isFolder).map(({ name }) => name);
  return names.filter((name) => /\.ya?ml$/.test(name) && !CHART_DOCUMENTS.includes(name)).toSorted();
}

async function listCharts(wrap: string | undefined, signal: AbortSignal): Promise<string[]> {
  if (wrap === undefined || isStreamedInput(wrap)) return [];
  const { listWrappedCharts } = await import('./completing/list-wrapped-charts.ts');
  return listWrappedCharts(wrap, signal);
}

async function listImages(): Promise<string[]> {
  const { listLockedImages } = await import('./completing/list-locked-images.ts');
  return listLockedImages();
}

async function listHosts({ environment }: CompletionContext): Promise<string[]> {
  const { listRegistries } = await import('./completing/list-registries.ts');
  return listRegistries(environment);
}

import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DtError } from '../domain/errors.ts';
import { runBounded, RunFailure } from '../processes/run-bounded.ts';
import { ChartCopy } from './chart-copy.ts';
import type { HelmProgram } from './find-helm.ts';
import { helmEnvironment } from './helm-environment.ts';
import { toRenderError } from './render-error.ts';
import type { RenderInput } from './render-input.ts';

/** The largest charts take seconds. */
const RENDER_TIMEOUT_MS = 60_000;
/** Of everything that Helm prints; the largest public charts render 10 MB, most of it definitions. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
/** Helm uses several processors by itself. */
const DEFAULT_CONCURRENCY = 2;
const RELEASE_NAME = 'release-name';
const NAMESPACE = 'default';

export interface HelmRendererOptions {
  readonly helm: HelmProgram;
  /** What messages call the chart. */
  readonly chartName: string;
  /** Of this process; only what Windows needs to start a program is taken. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
  /** Renderings at the same time. */
  readonly concurrency?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly maxOutputBytes?: number | undefined;
}

/** What rendering has cost. */
export interface RenderStatistics {
  renders: number;
  /** Time in Helm, of all renderings together. */
  durationMs: number;
}

interface Slot {
  readonly folder: string;
  readonly copy: ChartCopy;
}

/**
 * Renders versions of one chart with the user's Helm: offline, from a copy that it writes into a temporary folder, several
 * side by side, and never the same input twice. `dispose` must be called, also after a failure.
 */
export class HelmRenderer {
  readonly statistics: RenderStatistics = { renders: 0, durationMs: 0 };
  readonly #options: HelmRendererOptions;
  readonly #results = new Map<string, Promise<string>>();
  readonly #digests = new WeakMap<Uint8Array, string>();
  readonly #freeSlots: Slot[] = [];
  readonly #waiting: ((slot: Slot) => void)[] = [];
  #slotCount = 0;
  #folder: Promise<string> | undefined;

  constructor(options: HelmRendererOptions) {
    this.#options = options;
  }

  /**
   * All objects of the chart as `helm template` prints them: hooks, tests and definitions of custom resources included.
   * Throws DT_CHART_NOT_RENDERED, DT_HELM_UNUSABLE, DT_INTERRUPTED.
   */
  async render(input: RenderInput): Promise<string> {
    const key = this.#keyOf(input);
    const known = this.#results.get(key);
    if (known !== undefined) return known;
    const result = this.#renderInSlot(input);
    this.#results.set(key, result);
    return result;
  }

  /** Removes the temporary folder. Nothing may be rendered afterwards. */
  async dispose(): Promise<void> {
    await Promise.allSettled(this.#results.values());
    // One that could not be made failed the rendering.
    const folder = await this.#folder?.catch(() => undefined);
    if (folder === undefined) return;
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }

  async #renderInSlot(input: RenderInput): Promise<string> {
    const slot = await this.#takeSlot();
    try {
      return await this.#renderIn(slot, input);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#freeSlots.push(slot);
      else next(slot);
    }
  }

  async #renderIn(slot: Slot, input: RenderInput): Promise<string> {
    const { helm, chartName, environment, signal } = this.#options;
    const { timeoutMs = RENDER_TIMEOUT_MS, maxOutputBytes = MAX_OUTPUT_BYTES } = this.#options;
    const chartFolder = join(slot.folder, 'chart');
    await slot.copy.write(input.tree);
    const valuesFiles = await this.#writeValuesFiles(slot, input);
    const startedAtMs = performance.now();
    this.statistics.renders += 1;
    try {
      const { code, output, errorOutput } = await runBounded(
        helm.path,
        toArguments(chartFolder, valuesFiles, input),
        '',
        {
          environment: helmEnvironment(slot.folder, environment['SystemRoot']),
          folder: slot.folder,
          signal,
          timeoutMs,
          maxOutputBytes,
        },
      );
      if (code === 0) return output;
      throw toRenderError(chartName, nameValuesFiles(errorOutput, valuesFiles, input), slot.folder);
    } catch (error) {
      if (!(error instanceof RunFailure)) throw error;
      const code = error.message.includes('cannot be started') ? 'DT_HELM_UNUSABLE' : 'DT_CHART_NOT_RENDERED';
      throw new DtError(code, `the chart "${chartName}" does not render: ${error.message}`, {
        detail: `Helm is ${helm.path} (${helm.version}).`,
      });
    } finally {
      this.statistics.durationMs += performance.now() - startedAtMs;
    }
  }

  async #writeValuesFiles(slot: Slot, { valuesFiles }: RenderInput): Promise<string[]> {
    return Promise.all(
      valuesFiles.map(async ({ bytes }, index) => {
        const path = join(slot.folder, `values-${String(index)}.yaml`);
        await writeFile(path, bytes, { mode: 0o600 });
        return path;
      }),
    );
  }

  async #takeSlot(): Promise<Slot> {
    const free = this.#freeSlots.pop();
    if (free !== undefined) return free;
    if (this.#slotCount >= (this.#options.concurrency ?? DEFAULT_CONCURRENCY)) {
      return new Promise((resolve) => this.#waiting.push(resolve));
    }
    const folder = await this.#makeFolder(this.#slotCount++);
    return { folder, copy: new ChartCopy(join(folder, 'chart')) };
  }

  async #makeFolder(index: number): Promise<string> {
    this.#folder ??= mkdtemp(join(tmpdir(), 'dt-render-'));
    const folder = join(await this.#folder, String(index));
    await mkdir(join(folder, 'home'), { recursive: true, mode: 0o700 });
    return folder;
  }

  #keyOf({ tree, valuesFiles, set, kubeVersion, apiVersions, attempt }: RenderInput): string {
    const hash = createHash('sha256');
    const files = tree.filter(({ type }) => type === 'file').map(({ path, bytes }) => [path, this.#digestOf(bytes)]);
    const values = valuesFiles.map(({ bytes }) => this.#digestOf(bytes));
    return hash.update(JSON.stringify([files, values, set, kubeVersion, apiVersions, attempt])).digest('hex');
  }

  #digestOf(bytes: Uint8Array): string {
    const known = this.#digests.get(bytes);
    if (known !== undefined) return known;
    const digest = createHash('sha256').update(bytes).digest('hex');
    this.#digests.set(bytes, digest);
    return digest;
  }
}

function toArguments(chartFolder: string, valuesFiles: readonly string[], input: RenderInput): string[] {
  return [
    'template',
    RELEASE_NAME,
    chartFolder,
    `--namespace=${NAMESPACE}`,
    '--include-crds',
    ...(input.kubeVersion === undefined ? [] : [`--kube-version=${input.kubeVersion}`]),
    ...input.apiVersions.map((version) => `--api-versions=${version}`),
    ...valuesFiles.map((file) => `--values=${file}`),
    ...input.set.map((assignment) => `--set=${assignment}`),
  ];
}

function nameValuesFiles(errorOutput: string, paths: readonly string[], { valuesFiles }: RenderInput): string {
  return paths.reduce((text, path, index) => text.replaceAll(path, valuesFiles[index]?.name ?? ''), errorOutput);
}

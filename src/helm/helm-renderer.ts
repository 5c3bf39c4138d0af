import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DtError, errorMessage, isDtError, systemErrorCode } from '../domain/errors.ts';
import { runBounded, RunFailure } from '../processes/run-bounded.ts';
import { ChartCopy } from './chart-copy.ts';
import type { HelmProgram } from './find-helm.ts';
import { helmEnvironment } from './helm-environment.ts';
import { KeptResults } from './kept-results.ts';
import { toRenderError } from './render-error.ts';
import { makeRenderFolder, removeLeftRenderFolders } from './render-folder.ts';
import type { RenderInput } from './render-input.ts';
import { RenderKeys } from './render-keys.ts';
import { toTemplateArguments } from './template-arguments.ts';

/** The largest charts take seconds. */
const RENDER_TIMEOUT_MS = 60_000;
/** Of everything that Helm prints; the largest public charts render 10 MB, most of it definitions. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
/** Of one Helm; it needs a third of this to print as much as it may. */
const MAX_MEMORY_BYTES = 1_500_000_000;
/** Characters, of one byte or two: 32 MiB at most. */
const MAX_KEPT_LENGTH = 16 * 1024 * 1024;
/** Helm uses several processors by itself. */
const DEFAULT_CONCURRENCY = 2;

export interface HelmRendererOptions {
  readonly helm: HelmProgram;
  /** What messages call the chart. */
  readonly chartName: string;
  /** Of this process; only what is needed to start a program is taken. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
  /** Renderings at the same time. */
  readonly concurrency?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly maxOutputBytes?: number | undefined;
  readonly maxMemoryBytes?: number | undefined;
  /** Characters of finished renderings that are remembered. */
  readonly maxKeptLength?: number | undefined;
}

/** What rendering has cost. */
export interface RenderStatistics {
  renders: number;
  /** Time in Helm, of all renderings together. */
  durationMs: number;
}

/** Room for one rendering at a time. */
interface Slot {
  readonly index: number;
  /** Undefined until the first rendering has made it. */
  place: Place | undefined;
}

interface Place {
  readonly folder: string;
  readonly copy: ChartCopy;
}

/**
 * Renders versions of one chart with the user's Helm: from a copy that it writes into a temporary folder, several
 * side by side, and the same input only once as long as its output is remembered. `dispose` must be called, also after a failure.
 */
export class HelmRenderer {
  readonly statistics: RenderStatistics = { renders: 0, durationMs: 0 };
  readonly #options: HelmRendererOptions;
  readonly #results: KeptResults;
  readonly #keys = new RenderKeys();
  readonly #freeSlots: Slot[] = [];
  readonly #waiting: ((slot: Slot) => void)[] = [];
  #slotCount = 0;
  #folder: Promise<string> | undefined;

  constructor(options: HelmRendererOptions) {
    this.#options = options;
    this.#results = new KeptResults(options.maxKeptLength ?? MAX_KEPT_LENGTH);
  }

  /**
   * All objects of the chart as `helm template` prints them: hooks, tests and definitions of custom resources included.
   * Throws DT_CHART_NOT_RENDERED, also where there is no room for a copy of the chart; DT_HELM_UNUSABLE, DT_INTERRUPTED.
   */
  async render(input: RenderInput): Promise<string> {
    return this.#results.get(this.#keys.keyOf(input), async () => this.#renderInSlot(input));
  }

  /** Removes the temporary folder, and those of earlier runs that were killed. Nothing may be rendered afterwards. */
  async dispose(): Promise<void> {
    await this.#results.settle();
    const folder = await this.#folder;
    if (folder === undefined) return;
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    await removeLeftRenderFolders();
  }

  async #renderInSlot(input: RenderInput): Promise<string> {
    const slot = await this.#takeSlot();
    try {
      slot.place ??= await this.#makePlace(slot.index);
      return await this.#renderIn(slot.place, input);
    } catch (error) {
      if (isDtError(error) || systemErrorCode(error) === undefined) throw error;
      const { chartName } = this.#options;
      throw new DtError('DT_CHART_NOT_RENDERED', `the chart "${chartName}" does not render: ${errorMessage(error)}`, {
        hints: ['TMPDIR names a folder with room for a copy of the chart'],
        cause: error,
      });
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#freeSlots.push(slot);
      else next(slot);
    }
  }

  async #renderIn(place: Place, input: RenderInput): Promise<string> {
    const { helm, chartName, environment, signal } = this.#options;
    const {
      timeoutMs = RENDER_TIMEOUT_MS,
      maxOutputBytes = MAX_OUTPUT_BYTES,
      maxMemoryBytes = MAX_MEMORY_BYTES,
    } = this.#options;
    const chartFolder = join(place.folder, 'chart');
    await place.copy.write(input.tree);
    const valuesFiles = await this.#writeValuesFiles(place, input);
    const startedAtMs = performance.now();
    this.statistics.renders += 1;
    try {
      const { code, output, errorOutput } = await runBounded(
        helm.path,
        toTemplateArguments(chartFolder, valuesFiles, input),
        '',
        {
          environment: helmEnvironment(place.folder, environment),
          folder: place.folder,
          signal,
          timeoutMs,
          maxOutputBytes,
          maxMemoryBytes,
        },
      );
      if (code === 0) return output;
      throw toRenderError(chartName, nameValuesFiles(errorOutput, valuesFiles, input), place.folder);
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

  async #writeValuesFiles(place: Place, { valuesFiles }: RenderInput): Promise<string[]> {
    return Promise.all(
      valuesFiles.map(async ({ bytes }, index) => {
        const path = join(place.folder, `values-${String(index)}.yaml`);
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
    return { index: this.#slotCount++, place: undefined };
  }

  async #makePlace(index: number): Promise<Place> {
    const folder = join(await this.#makeFolder(), String(index));
    await mkdir(join(folder, 'home'), { recursive: true, mode: 0o700 });
    return { folder, copy: new ChartCopy(join(folder, 'chart')) };
  }

  async #makeFolder(): Promise<string> {
    const making = (this.#folder ??= makeRenderFolder());
    try {
      return await making;
    } catch (error) {
      // The next rendering tries again.
      if (this.#folder === making) this.#folder = undefined;
      throw error;
    }
  }
}

function nameValuesFiles(errorOutput: string, paths: readonly string[], { valuesFiles }: RenderInput): string {
  return paths.reduce((text, path, index) => text.replaceAll(path, valuesFiles[index]?.name ?? ''), errorOutput);
}

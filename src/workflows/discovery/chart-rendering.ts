import { packChartArchive } from '../../archive/chart-archive.ts';
import { listChartFolders, replaceChartFiles } from '../../domain/chart/chart-files.ts';
import { findChartFile, VALUES_FILE_NAME } from '../../domain/chart/chart-tree.ts';
import type { Chart } from '../../domain/chart/chart.ts';
import type { ChartText } from '../../domain/discovery/find-literal-marks.ts';
import { findRenderedImages } from '../../domain/discovery/find-rendered-images.ts';
import type { ValuesText } from '../../domain/discovery/find-value-marks.ts';
import { outsideKey } from '../../domain/discovery/outside-values.ts';
import { parseManifests, splitManifests, type BrokenManifest } from '../../domain/discovery/parse-manifests.ts';
import type { RenderedImage, UnreadableImage } from '../../domain/discovery/rendered-image.ts';
import { isDtError } from '../../domain/errors.ts';
import { readYamlBytes } from '../../domain/yaml/edit-yaml-bytes.ts';
import { decodeYamlTextExactly } from '../../domain/yaml/parse-yaml.ts';
import type { HelmRenderer } from '../../helm/helm-renderer.ts';
import { toOfflineSchema } from '../../helm/offline-schema.ts';
import type { RenderOptions, ValuesFile } from '../../helm/render-input.ts';

/** Texts of files that a rendering has instead of those of the chart, by the key of the file. */
export type FileChanges = ReadonlyMap<string, string>;

export interface RenderedImages {
  readonly images: readonly RenderedImage[];
  readonly unreadable: readonly UnreadableImage[];
  readonly broken: readonly BrokenManifest[];
  /** All that Helm printed. */
  readonly output: string;
}

const SCHEMA_FILE = 'values.schema.json';
/** What stands in a chart beside values, and is no source of a rendering. */
const OTHER_FILES =
  /^(?:charts\/|Chart\.(?:yaml|lock)$|requirements\.|README|CHANGELOG|LICENSE|ci\/|values[^/]*\.ya?ml$|values\.schema\.json$|Images\.lock$)/i;
/** Larger files are data, and definitions of custom resources. */
const MAX_TEXT_BYTES = 2 * 1024 * 1024;
/** Bitnami's charts refuse images of other names unless this is set; a marked image has another name. */
const ALLOW_OTHER_IMAGES = 'global.security.allowInsecureImages=true';

/** Renders a chart with other texts in some of its files, and the values files that are given from outside. */
export class ChartRendering {
  readonly #chart: Chart;
  readonly #renderer: HelmRenderer;
  readonly #options: RenderOptions;
  readonly #outside: ReadonlyMap<string, string>;
  /** Instead of those that would have Helm read other documents. */
  readonly #offlineSchemas: ReadonlyMap<string, Uint8Array>;

  constructor(chart: Chart, renderer: HelmRenderer, options: RenderOptions) {
    this.#chart = chart;
    this.#renderer = renderer;
    this.#options = options;
    this.#offlineSchemas = listOfflineSchemas(chart);
    this.#outside = new Map(
      options.valuesFiles.map((file) => [outsideKey(file.name), decodeYamlTextExactly(file.bytes, file.name)]),
    );
  }

  /** Renders the chart as it is, or with changes; another `attempt` renders the same once more. Throws DT_CHART_NOT_RENDERED, DT_HELM_UNUSABLE, DT_INTERRUPTED. */
  async render(changes: FileChanges = new Map(), attempt?: number): Promise<RenderedImages> {
    const output = await this.#renderText(changes, this.#options.set, attempt);
    return readImages(output, () => true);
  }

  /**
   * Renders changes that no schema of the chart needs to allow, and reads those documents only that `isWanted` asks for.
   */
  async probe(changes: FileChanges, isWanted: (text: string) => boolean, attempt?: number): Promise<RenderedImages> {
    const schemas = listChartFolders(this.#chart).flatMap(({ chart, label }): [string, string][] =>
      findChartFile(chart.tree, SCHEMA_FILE) === undefined ? [] : [[label + SCHEMA_FILE, '{}']],
    );
    const set = [...this.#options.set, ALLOW_OTHER_IMAGES];
    const output = await this.#renderText(new Map([...schemas, ...changes]), set, attempt);
    return readImages(output, isWanted);
  }

  /** Every values file that counts, with changes. */
  listValues(changes: FileChanges = new Map()): readonly ValuesText[] {
    return listValuesTexts(this.#chart, this.#options.valuesFiles, changes);
  }

  /** Templates and the files that they may read. */
  listTexts(): readonly ChartText[] {
    return listChartFolders(this.#chart).flatMap(({ chart, label }) =>
      chart.tree.flatMap(({ type, path, bytes }) => {
        if (type !== 'file' || OTHER_FILES.test(path) || bytes.length > MAX_TEXT_BYTES || bytes.includes(0)) return [];
        try {
          return [{ file: label + path, text: decodeYamlTextExactly(bytes, path) }];
        } catch (error) {
          if (isDtError(error, 'DT_YAML_INVALID')) return [];
          throw error;
        }
      }),
    );
  }

  async #renderText(changes: FileChanges, set: readonly string[], attempt?: number): Promise<string> {
    const files = new Map(this.#offlineSchemas);
    for (const [file, text] of changes) if (!this.#outside.has(file)) files.set(file, Buffer.from(text));
    const valuesFiles = this.#options.valuesFiles.map((file) => {
      const text = changes.get(outsideKey(file.name));
      return text === undefined ? file : { ...file, bytes: Buffer.from(text) };
    });
    const tree = await replaceChartFiles(this.#chart, files, async (subchart, subtree) =>
      packChartArchive(subchart.metadata.name, subtree, { mtimeSeconds: 0 }),
    );
    return this.#renderer.render({ ...this.#options, tree, valuesFiles, set, attempt });
  }
}

function listOfflineSchemas(chart: Chart): ReadonlyMap<string, Uint8Array> {
  return new Map(
    listChartFolders(chart).flatMap(({ chart: member, label }): [string, Uint8Array][] => {
      const schema = findChartFile(member.tree, SCHEMA_FILE);
      const bytes = schema === undefined ? undefined : toOfflineSchema(schema.bytes);
      return bytes === undefined || bytes === schema?.bytes ? [] : [[label + SCHEMA_FILE, bytes]];
    }),
  );
}

/** The images in what Helm printed, of the documents that `isWanted` asks for. */
export function readImages(output: string, isWanted: (text: string) => boolean): RenderedImages {
  const { manifests, broken } = parseManifests(splitManifests(output).filter(({ text }) => isWanted(text)));
  const found = manifests.map(findRenderedImages);
  return {
    images: found.flatMap(({ images }) => images),
    unreadable: found.flatMap(({ unreadable }) => unreadable),
    broken,
    output,
  };
}

/** Every values file that counts: of the chart, its subcharts and from outside. What is no YAML for us is left out. */
export function listValuesTexts(
  chart: Chart,
  valuesFiles: readonly ValuesFile[],
  changes: FileChanges = new Map(),
): readonly ValuesText[] {
  const own = listChartFolders(chart).flatMap(({ chart: member, label }): [string, Uint8Array][] => {
    const file = findChartFile(member.tree, VALUES_FILE_NAME);
    return file === undefined ? [] : [[label + VALUES_FILE_NAME, file.bytes]];
  });
  const outside = valuesFiles.map((file): [string, Uint8Array] => [outsideKey(file.name), file.bytes]);
  return [...own, ...outside].flatMap(([file, bytes]) => {
    const text = changes.get(file);
    try {
      return [{ file, tree: readYamlBytes(text === undefined ? bytes : Buffer.from(text), file) }];
    } catch (error) {
      if (isDtError(error, 'DT_YAML_INVALID')) return [];
      throw error;
    }
  });
}

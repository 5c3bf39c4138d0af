import { posix } from 'node:path';
import { CARVEL_LOCK_PATH } from '../carvel/carvel-lock.ts';
import { type ChartTree, findChartFile, VALUES_FILE_NAME } from '../chart/chart-tree.ts';
import type { Chart, Subchart } from '../chart/chart.ts';
import { DtError } from '../errors.ts';
import { LOCK_FILE_NAME } from '../lock/images-lock.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import { encodeEditedYaml, readYamlBytes } from '../yaml/edit-yaml-bytes.ts';
import { decodeYamlTextExactly } from '../yaml/parse-yaml.ts';
import { spliceText, type TextSplice } from '../yaml/yaml-scalar-text.ts';
import { createKnownImages, type KnownImages } from './known-images.ts';
import { relocateAnnotations } from './relocate-annotations.ts';
import { addRelocatedDependencies } from './add-relocated-dependencies.ts';
import { relocateImagesFile, type RelocatedFile } from './relocate-image-list.ts';
import { relocatedName } from './relocate-reference.ts';
import type { RelocationChange, RelocationRefusal } from './relocation-change.ts';
import type { RelocationRule } from './relocation-rule.ts';
import { replaceDigestTexts } from './replace-digest-texts.ts';
import { NO_REPLACED_INDEXES, type ReplacedIndexes } from './replaced-indexes.ts';
import { shareEdits } from './share-edits.ts';
import { relocateValues, type ScalarHead } from './values-images.ts';

export interface RelocateChartOptions {
  readonly prefix: RelocationRule;
  /** Annotations of Chart.yaml that list images. */
  readonly annotationKeys: readonly string[];
  /** Values files inside the chart and inside every subchart, relative to the chart. */
  readonly valuesFiles: readonly string[];
  /**
   * References that carry the digest of a replaced index get its new one, and locks name both as `indexDigest` and
   * `targetIndexDigest`. Default: none was replaced.
   */
  readonly replacedIndexes?: ReplacedIndexes;
  /** Where the charts come from that this one depends on; default: from where they say. */
  readonly dependencyRepository?: string | undefined;
  /** What renderings have shown of the chart. Default: only the shape of the values counts. */
  readonly proven?: ProvenPlaces;
  /** Packs a subchart that came as an archive, with the tree given instead of its own. Only called for changed ones. */
  readonly repackSubchart: (chart: Chart, tree: ChartTree) => Promise<Uint8Array>;
}

/** Edits that renderings have shown to be right, by file; names of files as in `RelocationChange`. */
export interface ProvenPlaces {
  readonly heads: ReadonlyMap<string, readonly ScalarHead[]>;
  /** Parts of templates and other files. */
  readonly texts: ReadonlyMap<string, readonly TextHead[]>;
  /** What the shape of values says of places that were not proven counts too. */
  readonly usesShapes: boolean;
  /** Annotations and locks stay as they are. */
  readonly keepsDeclarations?: boolean;
}

/** A part of a file that is no YAML. */
export interface TextHead {
  readonly offset: number;
  readonly from: string;
  readonly to: string;
  readonly change: RelocationChange;
}

export interface RelocatedChart {
  /** The whole chart, modes and untouched files as they were. */
  readonly tree: ChartTree;
  /** Every scalar that changed; empty if the chart lay under the prefix already. */
  readonly changes: readonly RelocationChange[];
  /** Images in values files that were found but could not be rewritten. */
  readonly refused: readonly RelocationRefusal[];
  /** Declared images that no values file names, one reference for each repository: templates may still hold them. */
  readonly unplaced: readonly string[];
  /** All declared images, as the chart declares them, each once. */
  readonly declared: readonly Reference[];
  /** The images that the shape of the values files shows, as they named them before; in no order, with repetitions. */
  readonly found: readonly Reference[];
}

const CHART_FILE = 'Chart.yaml';
const IMAGES_FILES: readonly string[] = [LOCK_FILE_NAME, CARVEL_LOCK_PATH];

/** A chart or subchart with the files that a relocation changes. */
interface Member {
  readonly chart: Chart;
  /** What goes in front of the names of its files in messages: empty, or the path of the subchart with a slash. */
  readonly label: string;
  readonly declaring: ReadonlyMap<string, RelocatedFile>;
  readonly subcharts: readonly { readonly subchart: Subchart; readonly member: Member }[];
}

interface Outcome {
  readonly changes: RelocationChange[];
  readonly refused: RelocationRefusal[];
  readonly found: Reference[];
}

/**
 * Relocates all images of a chart and its subcharts at every depth, packed or not: values files, annotations of
 * Chart.yaml, Images.lock and `.imgpkg/images.yml`. Pure; any failure throws before anything is returned. Relocating
 * the result again changes nothing.
 * Throws DT_FILE_NOT_FOUND for a values file that no chart has (a missing `values.yaml` is fine), DT_YAML_INVALID,
 * DT_ANNOTATION_INVALID, DT_LOCK_INVALID, DT_BAD_REFERENCE and DT_RELOCATION_FAILED.
 */
export async function relocateChart(chart: Chart, options: RelocateChartOptions): Promise<RelocatedChart> {
  const valuesFiles = [...new Set(options.valuesFiles.map((name) => posix.normalize(name)))];
  requireValuesFiles(chart, valuesFiles);
  const member = relocateDeclarations(chart, '', options);
  const declared = listDeclared(member);
  const keepsDeclarations = options.proven?.keepsDeclarations === true;
  const outcome: Outcome = { changes: [], refused: [], found: [] };
  const known = createKnownImages(declared);
  const relocated = await relocateMember(
    keepsDeclarations ? withoutDeclarations(member) : member,
    { ...options, valuesFiles },
    known,
    outcome,
  );
  return {
    ...shareEdits(chart.tree, relocated, outcome.changes),
    refused: outcome.refused,
    unplaced: listUnplaced(declared, outcome.found, options.prefix),
    declared,
    found: outcome.found,
  };
}

function requireValuesFiles(chart: Chart, valuesFiles: readonly string[]): void {
  for (const name of valuesFiles) {
    if (name === VALUES_FILE_NAME || hasValuesFile(chart, name)) continue;
    throw new DtError('DT_FILE_NOT_FOUND', `chart "${chart.metadata.name}" has no values file "${name}"`, {
      detail: 'Names of values files are relative to the chart folder.',
    });
  }
}

function hasValuesFile(chart: Chart, name: string): boolean {
  return (
    findChartFile(chart.tree, name) !== undefined ||
    chart.subcharts.some((subchart) => hasValuesFile(subchart.chart, name))
  );
}

function relocateDeclarations(chart: Chart, label: string, options: RelocateChartOptions): Member {
  const { prefix, annotationKeys, replacedIndexes: replaced = NO_REPLACED_INDEXES } = options;
  const declaring = new Map<string, RelocatedFile>();
  const add = (path: string, relocate: (bytes: Uint8Array, name: string) => RelocatedFile): void => {
    const file = findChartFile(chart.tree, path);
    if (file !== undefined) declaring.set(path, relocate(file.bytes, label + path));
  };
  add(CHART_FILE, (bytes, name) => relocateAnnotations(bytes, name, annotationKeys, prefix, replaced));
  addRelocatedDependencies(chart, label, options.dependencyRepository, declaring);
  for (const path of IMAGES_FILES) add(path, (bytes, name) => relocateImagesFile(bytes, name, prefix, replaced));
  const subcharts = chart.subcharts.map((subchart) => ({
    subchart,
    member: relocateDeclarations(subchart.chart, `${label}${subchart.path}/`, options),
  }));
  return { chart, label, declaring, subcharts };
}

function withoutDeclarations(member: Member): Member {
  return {
    ...member,
    declaring: new Map(),
    subcharts: member.subcharts.map((item) => ({ ...item, member: withoutDeclarations(item.member) })),
  };
}

function listDeclared(member: Member): readonly Reference[] {
  const references = new Map<string, Reference>();
  const collect = ({ declaring, subcharts }: Member): void => {
    for (const file of declaring.values()) {
      for (const reference of file.references) references.set(formatReference(reference), reference);
    }
    for (const subchart of subcharts) collect(subchart.member);
  };
  collect(member);
  return [...references.values()];
}

/** One reference for each repository: a lock names an image by tag where `.imgpkg/images.yml` names it by digest. */
function listUnplaced(
  declared: readonly Reference[],
  found: readonly Reference[],
  prefix: RelocationRule,
): readonly string[] {
  const seen = new Set(found.map((reference) => relocatedName(reference, prefix)));
  return declared.flatMap((reference) => {
    const name = relocatedName(reference, prefix);
    if (seen.has(name)) return [];
    seen.add(name);
    return [formatReference(reference)];
  });
}

async function relocateMember(
  member: Member,
  options: RelocateChartOptions,
  known: KnownImages,
  outcome: Outcome,
): Promise<ChartTree> {
  const { chart, label } = member;
  const changed = new Map<string, Uint8Array>();
  for (const { type, path, bytes } of chart.tree) {
    const declaring = member.declaring.get(path);
    if (type !== 'file') continue;
    if (declaring !== undefined) {
      changed.set(path, declaring.bytes);
      outcome.changes.push(...declaring.changes);
    } else if (options.valuesFiles.includes(path)) {
      const tree = readYamlBytes(bytes, label + path);
      const values = relocateValues(
        tree,
        options.prefix,
        known,
        options.replacedIndexes,
        options.proven && {
          heads: options.proven.heads.get(label + path) ?? [],
          usesShapes: options.proven.usesShapes,
        },
      );
      const digests =
        options.proven === undefined ? NO_REPLACED_INDEXES : (options.replacedIndexes ?? NO_REPLACED_INDEXES);
      const text = replaceDigestTexts(values.text, label + path, digests);
      changed.set(path, encodeEditedYaml(tree, text.text, bytes));
      outcome.changes.push(...text.changes);
      outcome.changes.push(...values.changes);
      outcome.refused.push(...values.refused);
      outcome.found.push(...values.found);
    } else {
      const heads = options.proven?.texts.get(label + path) ?? [];
      if (heads.length === 0) continue;
      const spliced = spliceText(decodeYamlTextExactly(bytes, label + path), toSplices(heads));
      const { text, changes } = replaceDigestTexts(
        spliced,
        label + path,
        options.replacedIndexes ?? NO_REPLACED_INDEXES,
      );
      changed.set(path, new TextEncoder().encode(text));
      outcome.changes.push(...heads.map(({ change }) => change), ...changes);
    }
  }
  for (const { subchart, member: submember } of member.subcharts) {
    const tree = await relocateMember(submember, options, known, outcome);
    if (!subchart.isPacked) for (const entry of tree) changed.set(`${subchart.path}/${entry.path}`, entry.bytes);
    else if (tree !== subchart.chart.tree)
      changed.set(subchart.path, await options.repackSubchart(subchart.chart, tree));
  }
  return withChangedBytes(chart.tree, changed);
}

function toSplices(heads: readonly TextHead[]): readonly TextSplice[] {
  return heads.map(({ offset, from, to }) => ({ start: offset, end: offset + from.length, replacement: to }));
}

/** The same tree if no file has other bytes. */
function withChangedBytes(tree: ChartTree, changed: ReadonlyMap<string, Uint8Array>): ChartTree {
  const next = tree.map((entry) => {
    const bytes = changed.get(entry.path);
    return entry.type !== 'file' || bytes === undefined || Buffer.compare(bytes, entry.bytes) === 0
      ? entry
      : { ...entry, bytes };
  });
  return next.every((entry, index) => entry === tree[index]) ? tree : next;
}

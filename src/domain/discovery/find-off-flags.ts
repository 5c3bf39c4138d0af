import { formatYamlPath, type YamlScalar } from '../yaml/yaml-tree.ts';
import { type ValuesText, walkScalars } from './find-value-marks.ts';

/** A feature of a chart that is off. */
export interface OffFlag {
  readonly text: ValuesText;
  readonly scalar: YamlScalar;
}

/** What the parts of a chart are switched on with. */
const SWITCH_KEY = /(?:enabled?|create|install|deploy)$/i;

/** True for a flag that switches a part of the chart on: those mostly get along with each other. */
export function isSwitch({ scalar }: OffFlag): boolean {
  return SWITCH_KEY.test(String(scalar.path.at(-1)));
}

/** The same for a flag in every version of its file. */
export function nameFlag({ text: { file }, scalar }: OffFlag): string {
  return `${file} ${formatYamlPath(scalar.path)}`;
}

/** All values that say `false`, in every spelling that Helm reads. */
export function findOffFlags(texts: readonly ValuesText[]): readonly OffFlag[] {
  return texts.flatMap((text) =>
    [...walkScalars(text.tree.roots)]
      .filter(
        (scalar) => scalar.style === 'plain' && !scalar.isAmbiguous && /^(?:false|False|FALSE)$/.test(scalar.text),
      )
      .map((scalar) => ({ text, scalar })),
  );
}

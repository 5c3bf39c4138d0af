import type { YamlScalar } from '../yaml/yaml-tree.ts';
import { type ValuesText, walkScalars } from './find-value-marks.ts';

/** A feature of a chart that is off. */
export interface OffFlag {
  readonly text: ValuesText;
  readonly scalar: YamlScalar;
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

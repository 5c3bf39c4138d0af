import { outsideName } from '../../domain/discovery/outside-values.ts';
import type { HeadEdit } from '../../domain/proof/plan-heads.ts';
import type { ProvenPlaces, TextHead } from '../../domain/relocation/relocate-chart.ts';
import type { RelocationChange } from '../../domain/relocation/relocation-change.ts';
import type { ScalarHead } from '../../domain/relocation/values-images.ts';

/** The edits by file, as the relocation of a chart takes them. Another values file of the chart was rendered as one from outside. */
export function toProvenPlaces(
  edits: readonly HeadEdit[],
  { usesShapes, keepsDeclarations }: Pick<ProvenPlaces, 'usesShapes' | 'keepsDeclarations'>,
  valuesFiles: readonly string[],
): ProvenPlaces {
  const heads = new Map<string, ScalarHead[]>();
  const texts = new Map<string, TextHead[]>();
  for (const { head, from, to } of edits) {
    const { line, path } = head.origin;
    const outside = outsideName(head.file);
    const file = outside !== undefined && valuesFiles.includes(outside) ? outside : head.file;
    const change: RelocationChange = { file, line, path, from, to };
    if ('scalar' in head) add(heads, file, { scalar: head.scalar, start: head.start, from, to, change });
    else add(texts, file, { offset: head.offset, from, to, change });
  }
  return { heads, texts, usesShapes, ...(keepsDeclarations === true ? { keepsDeclarations } : {}) };
}

function add<Item>(map: Map<string, Item[]>, key: string, item: Item): void {
  map.set(key, [...(map.get(key) ?? []), item]);
}

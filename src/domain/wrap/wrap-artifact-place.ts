import { chartTag } from '../chart/chart-manifest.ts';
import { DtError } from '../errors.ts';
import { parseReference } from '../oci/reference.ts';
import { placeArtifact, splitArtifactTarget, type TaggedReference } from '../relocation/artifact-place.ts';
import { nameContainer } from './name-container.ts';
import type { WrapDocument } from './wrap-document.ts';

/** What a wrap in a registry is called. */
export interface WrapArtifactName {
  readonly name: string;
  /** Undefined for a wrap of several charts: it has none of its own. */
  readonly version: string | undefined;
}

/** The name and version of the chart, or of the first of several; the image and its tag of a wrap of single images. */
export function nameWrapArtifact({ charts, images }: WrapDocument): WrapArtifactName {
  const [chart, ...others] = charts;
  if (chart !== undefined) return { name: chart.name, version: others.length === 0 ? chart.version : undefined };
  const [image] = images;
  if (image === undefined) throw new DtError('DT_WRAP_INVALID', 'the wrap holds neither a chart nor an image');
  return nameContainer(parseReference(image.reference));
}

/**
 * Where a wrap goes that is pushed to `[oci://]REGISTRY[/PATH][:TAG]`: as `helm push` does, its name is put behind the path. The tag is
 * that of the version if none is given. Throws DT_USAGE without either, DT_BAD_PREFIX, DT_BAD_REFERENCE.
 */
export function placeWrapArtifact(target: string, { name, version }: WrapArtifactName): TaggedReference {
  const { prefix, tag = version === undefined ? undefined : chartTag(version) } = splitArtifactTarget(target);
  if (tag === undefined) {
    throw new DtError('DT_USAGE', 'a wrap of several charts has no version: give a tag', {
      hints: [`{bin} push-wrap WRAP ${target}:TAG`],
    });
  }
  return placeArtifact(prefix, { name, tag });
}

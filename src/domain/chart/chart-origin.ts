import type { ManifestContent } from '../oci/descriptor.ts';
import { digestHex, digestOf } from '../oci/digest.ts';
import type { Reference } from '../oci/reference.ts';

/** A provenance file is a signed Chart.yaml with one line for the archive. https://helm.sh/docs/topics/provenance/ */
export const MAX_PROVENANCE_BYTES = 1024 * 1024;
/** The config blob of a chart in a registry: its Chart.yaml as JSON. */
export const MAX_CHART_CONFIG_BYTES = 4 * 1024 * 1024;

/**
 * What a chart came as, byte for byte: enough to hand it on untouched. Nothing of it is set for a chart from a folder.
 */
export interface ChartOrigin {
  /** The packaged chart. */
  readonly archive?: Uint8Array;
  /** The `.prov` of the archive. Nobody has checked its signature. */
  readonly provenance?: Uint8Array;
  /** The manifest, for a chart from a registry. It may name more layers than the archive and the provenance. */
  readonly manifest?: ManifestContent;
  /** The config blob that the manifest names. */
  readonly config?: Uint8Array;
  /** Where the manifest lies, always with its digest: what refers to it (signatures, SBOMs) can be looked up there. */
  readonly repository?: Reference;
}

/** The origin of a chart that came packaged. */
export type PackagedOrigin = ChartOrigin & { readonly archive: Uint8Array };

/** True if the provenance names this archive by its digest; `helm verify` refuses every other pair. */
export function namesArchive(provenance: Uint8Array, archive: Uint8Array): boolean {
  return Buffer.from(provenance).includes(`sha256:${digestHex(digestOf(archive))}`);
}

/**
 * True if the origin has a provenance that holds for the archive that is handed on: only for the very bytes that came.
 * A chart that was rewritten or packed again has none.
 */
export function provenanceApplies(
  origin: ChartOrigin,
  archive: Uint8Array,
): origin is PackagedOrigin & { readonly provenance: Uint8Array } {
  if (origin.archive === undefined || origin.provenance === undefined) return false;
  return Buffer.compare(origin.archive, archive) === 0;
}

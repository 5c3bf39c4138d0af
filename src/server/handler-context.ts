import type { RegistryBackend, UploadSession } from './registry-backend.ts';

/** What every handler of one server shares. */
export interface HandlerContext {
  readonly backend: RegistryBackend;
  /** Take an index although some of its manifests are absent. */
  readonly acceptSparseIndexes: boolean;
  /** Uploads that a request is writing to right now. */
  readonly busyUploads: Set<UploadSession>;
}

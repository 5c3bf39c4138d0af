import { DtError } from '../domain/errors.ts';
import { MAX_OPEN_UPLOADS, UPLOAD_IDLE_MS } from './limits.ts';
import type { UploadSession } from './registry-backend.ts';

interface OpenUpload {
  readonly repository: string;
  readonly session: UploadSession;
  lastUsedMs: number;
}

/** The uploads of a backend that were begun and not ended. They do not survive the process. */
export class UploadTable {
  readonly #uploads = new Map<string, OpenUpload>();

  /** Throws DT_LIMIT_EXCEEDED when too many uploads are open, also after the idle ones have been thrown away. */
  async makeRoom(): Promise<void> {
    if (this.#uploads.size < MAX_OPEN_UPLOADS) return;
    const oldestMs = Date.now() - UPLOAD_IDLE_MS;
    const idle = [...this.#uploads.values()].filter(({ lastUsedMs }) => lastUsedMs < oldestMs);
    await Promise.all(idle.map(({ session }) => session.cancel()));
    if (this.#uploads.size >= MAX_OPEN_UPLOADS) {
      throw new DtError('DT_LIMIT_EXCEEDED', `more than ${String(MAX_OPEN_UPLOADS)} uploads are open`);
    }
  }

  add(repository: string, session: UploadSession): void {
    this.#uploads.set(session.id, { repository, session, lastUsedMs: Date.now() });
  }

  find(repository: string, id: string): UploadSession | undefined {
    const upload = this.#uploads.get(id);
    if (upload?.repository !== repository) return undefined;
    upload.lastUsedMs = Date.now();
    return upload.session;
  }

  remove(id: string): void {
    this.#uploads.delete(id);
  }
}

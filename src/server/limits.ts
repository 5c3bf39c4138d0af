/** Headers of one request. */
export const MAX_HEADER_COUNT = 100;
export const MAX_HEADER_BYTES = 16 * 1024;
/** The whole head of a request has to arrive within this time. Bodies may take as long as they keep moving. */
export const HEADERS_TIMEOUT_MS = 30_000;
/** A connection on which no byte moves for this long is closed. */
export const IDLE_TIMEOUT_MS = 120_000;
/** A connection without a request is kept for this long. */
export const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/** How long `close` waits for requests under way before it cuts them. */
export const CLOSE_GRACE_MS = 2_000;
/** What is read and thrown away of a body that nobody wants, so that the client gets to read the answer. */
export const MAX_DRAINED_BYTES = 64 * 1024 * 1024;
/** Size of the pieces in which blobs are read from and written to disk. */
export const BLOB_CHUNK_BYTES = 1024 * 1024;
/** Uploads that were begun and not ended; the next one is refused with 429. */
export const MAX_OPEN_UPLOADS = 1_000;
/** An upload that nobody touched for this long may be thrown away. */
export const UPLOAD_IDLE_MS = 60 * 60 * 1000;
/** Longest page of a listing. Without `n` everything is sent. */
export const MAX_PAGE_ENTRIES = 10_000;

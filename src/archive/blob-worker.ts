import { parentPort } from 'node:worker_threads';
import { BlobJobs, type BlobRequest } from './blob-jobs.ts';

/** The entry point of the worker of a `BlobThread`: a request in, its reply out, the first message says ready. */
const jobs = new BlobJobs();
parentPort?.on('message', (request: BlobRequest) => {
  const reply = jobs.handle(request);
  const memory = reply.bytes?.buffer;
  parentPort?.postMessage(reply, memory instanceof ArrayBuffer ? [memory] : []);
});
parentPort?.postMessage({});

import { readdir, readFile } from 'node:fs/promises';

const POLL_INTERVAL_MS = 100;
/** https://man7.org/linux/man-pages/man5/proc_pid_status.5.html */
const MEMORY_LINES = /^Vm(?:RSS|Swap):\s*(\d+) kB$/gm;
const BYTES_PER_KB = 1024;

/**
 * Looks ten times a second at the memory that a process and all that it has started hold, and calls `onExceeded` once it is more
 * than `maxBytes`. On Linux only: elsewhere nobody looks. Returns the function that ends it.
 */
export function watchMemory(pid: number | undefined, maxBytes: number, onExceeded: () => void): () => void {
  if (pid === undefined || maxBytes === Infinity || process.platform !== 'linux') return () => undefined;
  let isStopped = false;
  const look = async (): Promise<void> => {
    const sizeBytes = await readMemoryBytes(String(pid));
    if (isStopped) return;
    if (sizeBytes > maxBytes) onExceeded();
    else wait();
  };
  let timer: NodeJS.Timeout | undefined;
  const wait = (): void => {
    timer = setTimeout(() => void look(), POLL_INTERVAL_MS);
  };
  wait();
  return () => {
    isStopped = true;
    clearTimeout(timer);
  };
}

/** 0 for a process that has ended. */
async function readMemoryBytes(pid: string): Promise<number> {
  try {
    const [status, children] = await Promise.all([readFile(`/proc/${pid}/status`, 'utf8'), listChildren(pid)]);
    const ownBytes = [...status.matchAll(MEMORY_LINES)].map(([, kilobytes]) => Number(kilobytes) * BYTES_PER_KB);
    const sizes = [...ownBytes, ...(await Promise.all(children.map(readMemoryBytes)))];
    return sizes.reduce((sum, size) => sum + size, 0);
  } catch {
    return 0;
  }
}

/** Every thread has its own; none where the kernel does not list them. */
async function listChildren(pid: string): Promise<readonly string[]> {
  const threads = await readdir(`/proc/${pid}/task`);
  const lists = await Promise.all(
    threads.map(async (thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')),
  );
  return lists.flatMap((list) => list.split(' ').filter((child) => child !== ''));
}

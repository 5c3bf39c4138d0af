/** Progress of one step. Calls are cheap: implementations throttle. */
export interface Progress {
  /** Sets what there is to do; may be called again when more is known. */
  setTotalBytes(sizeBytes: number): void;
  /** Counts bytes done since the last call. */
  addBytes(sizeBytes: number): void;
  /** Counts bytes that need no moving: they are done, and say nothing about the rate. */
  skipBytes(sizeBytes: number): void;
  /** Shows a part by itself, for instance an image, from its first byte to its last. Its bytes count for the step as well. */
  addPart(title: string, totalBytes: number): PartProgress;
  /** What is being worked on, in a few words. */
  setStatus(text: string): void;
}

/** Progress of one part of a step. */
export type PartProgress = Pick<Progress, 'addBytes' | 'skipBytes'>;

/**
 * How a workflow tells what it does while it does it. Nothing of this is the result: results are returned.
 * Errors pass through unchanged.
 */
export interface Reporter {
  /** A titled group of steps. */
  section<T>(title: string, run: () => Promise<T>): Promise<T>;
  /** One piece of work. `done` words its outcome, the title stands while it runs. */
  step<T>(title: string, run: (progress: Progress) => Promise<T>, done?: (result: T) => string): Promise<T>;
  info(message: string): void;
  warn(message: string): void;
  debug(message: string): void;
}

/** Asks the user a question that is answered with yes or no. The end of standard input is a no. Throws DT_INTERRUPTED. */
export interface Prompter {
  confirm(question: string): Promise<boolean>;
}

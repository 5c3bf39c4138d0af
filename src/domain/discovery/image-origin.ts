/** What of a chart a rendered image begins with, proven by a mark that arrived there. */
export interface ImageOrigin {
  /**
   * A scalar of a values file; a part of a longer scalar; an empty scalar that replaces a default when it is filled; or a
   * literal of a template or of another file.
   */
  readonly kind: 'value' | 'text' | 'empty' | 'template';
  /** Relative to the chart, `charts/x.tgz/values.yaml` inside of a packed subchart; a values file from outside by its name. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The path of the scalar; empty in files that are no values. */
  readonly path: string;
  /** What stands there and is the head of the reference. */
  readonly text: string;
}

/** A place that can be marked: where in the file, and what it says. */
export interface MarkPlace {
  readonly origin: ImageOrigin;
  /** Key of the file in a set of changes. */
  readonly file: string;
}

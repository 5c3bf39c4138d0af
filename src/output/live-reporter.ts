import { AsyncLocalStorage } from 'node:async_hooks';
import { Listr, type ListrDefaultRendererLogLevels, ListrLogger, ProcessOutput } from 'listr2';
import type { Progress, Reporter } from '../workflows/ports.ts';
import { formatBytes } from '../domain/format-quantity.ts';
import { formatLine, INDENTATION, SYMBOLS, toSafeText } from './line-format.ts';
import { createLiveRenderer, type LineKind, type LiveTask } from './live-renderer.ts';
import { ProgressMeter, type PartState } from './progress-meter.ts';

/** More parts than this are not shown side by side. */
const MAX_SHOWN_PARTS = 8;
/** Symbol and blanks in front of a title, and one behind it. */
const SYMBOL_COLUMNS = 5;

/** A step that runs now, with the title that its progress is added to. */
interface RunningStep {
  readonly title: string;
  readonly meter: ProgressMeter;
  /** The parts that are shown at the moment, each with its line. */
  readonly parts: Map<PartState, ShownPart>;
}

interface ShownPart {
  readonly line: LiveTask;
  readonly end: () => void;
}

/** What is drawn while anything runs: one untitled task holds all lines and ends with the last of them. */
interface Display {
  readonly holder: LiveTask;
  readonly finish: () => Promise<void>;
  runningCount: number;
}

/**
 * Draws the work as a tree on a terminal: titles, what moves at the moment, and one line for what is done. Sections and
 * steps may run side by side. When nothing runs, the tree stands finished on the terminal and the cursor is free.
 */
export class LiveReporter implements Reporter {
  readonly #stream: NodeJS.WriteStream;
  /** The task that the running code belongs to; follows the calls. */
  readonly #parent = new AsyncLocalStorage<LiveTask>();
  readonly #kinds = new WeakMap<LiveTask, LineKind>();
  readonly #steps = new Map<LiveTask, RunningStep>();
  #display: Display | undefined;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  async section<T>(title: string, run: () => Promise<T>): Promise<T> {
    return this.#runLine(title, 'section', run);
  }

  async step<T>(title: string, run: (progress: Progress) => Promise<T>, done?: (result: T) => string): Promise<T> {
    return this.#runLine(title, 'step', async (task) => {
      const parts = new Map<PartState, ShownPart>();
      const meter = new ProgressMeter({
        now: () => performance.now(),
        onPartStart: (part) => {
          if (parts.size < MAX_SHOWN_PARTS) parts.set(part, this.#showPart(task, part));
        },
        onPartEnd: (part) => {
          hidePart(task, parts, part);
        },
      });
      this.#steps.set(task, { title: task.title ?? '', meter, parts });
      let finalTitle = title;
      try {
        const result = await run(meter);
        finalTitle = done?.(result) ?? title;
        return result;
      } finally {
        this.#steps.delete(task);
        for (const part of [...parts.keys()]) hidePart(task, parts, part);
        task.title = toSafeText(finalTitle);
      }
    });
  }

  info(message: string): void {
    this.#addNote(message, 'info');
  }

  warn(message: string): void {
    this.#addNote(`Warning: ${message}`, 'warning');
  }

  debug(): void {
    // Debug messages come with the lines reporter only.
  }

  async #runLine<T>(title: string, kind: LineKind, run: (task: LiveTask) => Promise<T>): Promise<T> {
    const display = (this.#display ??= this.#open());
    display.runningCount += 1;
    const outcome: { result?: T } = {};
    try {
      const line = this.#createLine(title, kind, this.#parent.getStore() ?? display.holder, async (task) => {
        outcome.result = await this.#parent.run(task, () => run(task));
      });
      await line.run();
      return outcome.result as T;
    } finally {
      display.runningCount -= 1;
      if (display.runningCount === 0) {
        this.#display = undefined;
        await display.finish();
      }
    }
  }

  #addNote(message: string, kind: LineKind): void {
    const parent = this.#parent.getStore() ?? this.#display?.holder;
    if (parent === undefined) {
      this.#stream.write(`${this.#renderNote(message, kind)}\n`);
      return;
    }
    void this.#createLine(message, kind, parent, () => Promise.resolve()).run();
  }

  #renderNote(message: string, kind: LineKind): string {
    return formatLine(0, kind === 'warning' ? SYMBOLS.warning : ' ', message);
  }

  #createLine(title: string, kind: LineKind, parent: LiveTask, run: (task: LiveTask) => Promise<void>): Listr {
    const line = new Listr(
      [{ title: toSafeText(title), task: (_context, wrapper) => run(wrapper.task as unknown as LiveTask) }],
      { renderer: 'silent', registerSignalListeners: false },
      // Listr's types tie a task to the renderer of its own list; in truth all tasks are one class.
      parent as never,
    ) as unknown as Listr;
    // Listr takes subtasks when a task returns them; ours become known one by one while the task runs.
    for (const task of line.tasks as unknown as LiveTask[]) {
      this.#kinds.set(task, kind);
      parent.subtasks = parent.hasSubtasks() ? [...parent.subtasks, task] : [task];
    }
    return line;
  }

  #open(): Display {
    const end = Promise.withResolvers<undefined>();
    const root = new Listr([{ task: () => end.promise }], {
      renderer: createLiveRenderer({
        kindOf: (task) => this.#kinds.get(task) ?? 'step',
        beforeUpdate: () => {
          this.#showProgress();
        },
      }),
      rendererOptions: {
        logger: new ListrLogger<ListrDefaultRendererLogLevels>({
          processOutput: new ProcessOutput(this.#stream, this.#stream, { leaveEmptyLine: false }),
        }),
        indentation: INDENTATION,
        collapseSubtasks: false,
        collapseErrors: false,
        showErrorMessage: false,
        lazy: true,
      },
      registerSignalListeners: false,
    });
    const ended = root.run();
    return {
      holder: root.tasks[0] as unknown as LiveTask,
      finish: async () => {
        end.resolve(undefined);
        await ended;
      },
      runningCount: 0,
    };
  }

  #showProgress(): void {
    for (const [task, step] of this.#steps) {
      task.title = this.#addProgress(task, step.title, (columns) => step.meter.describe(columns));
      for (const [{ title, doneBytes, totalBytes }, { line }] of step.parts) {
        const name = cutStart(toSafeText(title), this.#countColumns(line));
        line.title = this.#addProgress(line, name, (columns) => {
          const text = `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`;
          return text.length <= columns ? text : '';
        });
      }
    }
  }

  /** A line of its own for a part, below its step. */
  #showPart(task: LiveTask, { title }: PartState): ShownPart {
    const end = Promise.withResolvers<undefined>();
    const line = this.#createLine(title, 'step', task, () => end.promise);
    void line.run();
    return {
      line: line.tasks[0] as unknown as LiveTask,
      end: () => {
        end.resolve(undefined);
      },
    };
  }

  /** `TITLE: PROGRESS`, as much of the progress as fits into the line. */
  #addProgress(task: LiveTask, title: string, describe: (maxColumns: number) => string): string {
    const text = toSafeText(describe(this.#countColumns(task) - title.length - ': '.length));
    return text === '' ? title : `${title}: ${text}`;
  }

  /** How long the title of a task may be to fit into one line. */
  #countColumns(task: LiveTask): number {
    // The first of them is the untitled holder of all lines.
    let level = -1;
    for (let parent = task.parent; parent !== undefined; parent = parent.parent) level++;
    return this.#stream.columns - level * INDENTATION - SYMBOL_COLUMNS;
  }
}

function hidePart(task: LiveTask, parts: Map<PartState, ShownPart>, part: PartState): void {
  const shown = parts.get(part);
  if (shown === undefined) return;
  shown.end();
  parts.delete(part);
  task.subtasks = task.subtasks.filter((line) => line !== shown.line);
}

/** The end of a reference tells more than its start. */
function cutStart(text: string, maxColumns: number): string {
  return text.length <= maxColumns ? text : `…${text.slice(1 - Math.max(maxColumns, 2))}`;
}

import { styleText } from 'node:util';
import { DefaultRenderer, type ListrDefaultRendererTask } from 'listr2';
import { INDENTATION, SYMBOLS } from './line-format.ts';

/** At most ten updates a second: more is not readable and slows the work down. */
const UPDATE_INTERVAL_MS = 100;
const SPINNER_FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const;

/** As wide as a symbol with the blanks around it. */
const SYMBOL_BLANKS = '    ';

export type LiveTask = ListrDefaultRendererTask;

/** What a line stands for. */
export type LineKind = 'section' | 'step' | 'info' | 'warning';

export interface LiveRendererPorts {
  readonly kindOf: (task: LiveTask) => LineKind;
  /** Called before every drawing. */
  readonly beforeUpdate: () => void;
}

/** A renderer class for listr2 with our symbols, drawn at a fixed rate however often tasks change. */
export function createLiveRenderer(ports: LiveRendererPorts): typeof DefaultRenderer {
  return class LiveRenderer extends DefaultRenderer {
    // Whether this is a terminal is decided before; listr2 would ask standard output, which may be a pipe.
    static override nonTTY = true;
    #timer: NodeJS.Timeout | undefined;

    override async render(): Promise<void> {
      await super.render();
      this.#draw();
      this.#timer = setInterval(() => {
        this.#draw();
      }, UPDATE_INTERVAL_MS);
    }

    /** Does nothing: listr2 asks for an update at every change of a task, the timer draws. */
    override update(): void {
      // See #draw.
    }

    override end(): void {
      clearInterval(this.#timer);
      super.end();
    }

    /** Lines that go on start below the text of the first one. listr2 knows nothing of the width of our symbols. */
    protected override format(message: string, icon: string, level: number): string[] {
      const indentation = ' '.repeat(level * INDENTATION);
      // What is one level deeper is wrapped as much earlier.
      return super
        .format(message, '', level + 1)
        .map((line, index) => indentation + (index === 0 ? `${icon} ` : SYMBOL_BLANKS) + line.trimStart());
    }

    protected override style(task: LiveTask): string {
      return ` ${styleSymbol(task, ports.kindOf(task))} `;
    }

    #draw(): void {
      ports.beforeUpdate();
      super.update();
    }
  };
}

function styleSymbol(task: LiveTask, kind: LineKind): string {
  if (kind === 'section') return SYMBOLS.section;
  if (kind === 'info') return ' ';
  if (kind === 'warning') return paint('yellow', SYMBOLS.warning);
  if (task.isCompleted()) return paint('green', SYMBOLS.done);
  if (task.hasFailed()) return paint('red', SYMBOLS.failed);
  const frame = Math.floor(performance.now() / UPDATE_INTERVAL_MS) % SPINNER_FRAMES.length;
  return paint('cyan', SPINNER_FRAMES[frame] ?? SYMBOLS.running);
}

function paint(color: 'green' | 'red' | 'yellow' | 'cyan', symbol: string): string {
  return styleText(color, symbol, { stream: process.stderr });
}

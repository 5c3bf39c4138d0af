import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { CLEARED_VARIABLES } from './run-cli.ts';

const POLL_MS = 50;
const TIMEOUT_MS = 30_000;
/** What the shell in the terminal prints when the program has ended. */
const END_MARK = /^exit \d+$/m;

export interface TerminalOptions {
  readonly columns: number;
  readonly rows?: number;
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What is typed into the shell, for instance `dt wrap shop`. */
  readonly command: string;
}

/** A program in a real terminal. */
export interface Terminal {
  /** What stands on the screen now, without blanks at the ends of lines; `withColors` keeps the escape sequences of colours. */
  capture(options?: { readonly withColors?: boolean }): Promise<string>;
  /** Waits until the screen looks so. Throws with what stands there after 30 seconds. */
  waitFor(pattern: RegExp): Promise<string>;
  /** Waits until the program has ended; the last line is `exit CODE`. */
  waitForEnd(): Promise<string>;
  /** Types keys by the names that tmux has for them, for instance `C-c`. */
  press(...keys: readonly string[]): Promise<void>;
}

/** True if there is tmux, which the terminal is made of. */
export async function hasTerminal(): Promise<boolean> {
  try {
    await promisify(execFile)('tmux', ['-V']);
    return true;
  } catch {
    return false;
  }
}

/** Starts a command in a terminal of its own, that ends with the test. */
export async function openTerminal(
  t: Pick<TestContext, 'after'>,
  { columns, rows = 24, cwd, env = {}, command }: TerminalOptions,
): Promise<Terminal> {
  const cleared = Object.fromEntries([...CLEARED_VARIABLES, 'TMUX', 'NO_COLOR'].map((name) => [name, undefined]));
  const socket = `dt-${randomUUID()}`;
  const tmux = async (...args: readonly string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)('tmux', ['-L', socket, '-f', '/dev/null', ...args], {
      cwd,
      env: { ...process.env, ...cleared, ...env },
    });
    return stdout;
  };
  t.after(async () => tmux('kill-server').catch(() => undefined));
  const size = ['-x', String(columns), '-y', String(rows)];
  await tmux('-u', 'new-session', '-d', ...size, `sh -c 'trap : INT; ${command}; echo "exit $?"; exec cat'`);
  const capture: Terminal['capture'] = async ({ withColors = false } = {}) => {
    const text = await tmux('capture-pane', '-p', ...(withColors ? ['-e'] : []));
    return text.replace(/[ ]+$/gm, '').trimEnd();
  };
  const waitFor = async (pattern: RegExp): Promise<string> => {
    const endMs = performance.now() + TIMEOUT_MS;
    for (;;) {
      const text = await capture();
      if (pattern.test(text)) return text;
      if (performance.now() > endMs) throw new Error(`the screen never showed ${String(pattern)}:\n${text}`);
      await sleep(POLL_MS);
    }
  };
  return {
    capture,
    waitFor,
    waitForEnd: async () => waitFor(END_MARK),
    press: async (...keys) => {
      await tmux('send-keys', ...keys);
    },
  };
}

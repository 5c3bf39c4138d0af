import type { DtError, ImageFailure, Side } from '../domain/errors.ts';
import { redactSecrets } from '../domain/redact.ts';
import { formatLine, SYMBOLS, toSafeText } from './line-format.ts';
import { sanitizeLines } from './sanitize-text.ts';

const MAX_HINTS = 2;
const MAX_CAUSES = 8;
/** Images that failed and are named on a terminal; `--json` has all. */
const MAX_LISTED_FAILURES = 50;

export interface RenderErrorOptions {
  /** What `{bin}` in hints stands for: `helm dt` or `dt`. */
  readonly bin: string;
  /** Version of this program, for the report of a bug. */
  readonly version: string;
  /** Adds stacks and the chain of causes. */
  readonly isDebug: boolean;
}

/** The JSON document of a failed command. */
export interface ErrorDocument {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly detail?: string;
    readonly hints: readonly string[];
    readonly side?: Side;
    readonly exitCode: number;
    /** The images that failed, where a command went on without them; there is at least one. */
    readonly failures?: readonly FailureDocument[];
  };
}

/** One image that failed, under the name that the chart has for it. */
interface FailureDocument {
  readonly image: string;
  readonly code: string;
  readonly message: string;
  readonly side?: Side;
  /** Of a damaged wrap. */
  readonly entry?: string;
  readonly digest?: string;
  readonly images?: readonly string[];
}

/** The text of an error on a terminal, with a line end. Control characters and secrets are taken out of every part. */
export function renderErrorText(error: DtError, options: RenderErrorOptions): string {
  const lines = [`Error: ${toSafeText(error.message)}`];
  lines.push(...renderFailures(error));
  const detail = describeDetail(error, options);
  if (detail !== undefined) lines.push(`  ${detail}`);
  const hints = renderHints(error, options);
  if (hints.length > 0) lines.push('Try:', ...hints.map((hint) => `  ${hint}`));
  lines.push(`Code: ${error.code}`);
  if (options.isDebug) lines.push(...renderCauses(error));
  return `${lines.join('\n')}\n`;
}

/** The same facts as a JSON document. */
export function renderErrorDocument(error: DtError, options: RenderErrorOptions): ErrorDocument {
  const detail = describeDetail(error, options);
  return {
    error: {
      code: error.code,
      message: toSafeText(error.message),
      ...(detail === undefined ? {} : { detail }),
      hints: renderHints(error, options),
      ...(error.side === undefined ? {} : { side: error.side }),
      exitCode: error.exitCode,
      ...(error.failures.length === 0 ? {} : { failures: error.failures.map(toFailureDocument) }),
    },
  };
}

function toFailureDocument(failure: ImageFailure): FailureDocument {
  const { image, entry, digest, images } = failure;
  const { code, message, side } = failure.error;
  return {
    image: toSafeText(image),
    code,
    message: toSafeText(message),
    ...(side === undefined ? {} : { side }),
    ...(entry === undefined ? {} : { entry: toSafeText(entry) }),
    ...(digest === undefined ? {} : { digest: toSafeText(digest) }),
    ...(images === undefined ? {} : { images: images.map(toSafeText) }),
  };
}

/** One line for each image; nothing where the message tells it already. */
function renderFailures({ failures, message }: DtError): string[] {
  if (failures.length < 2 || failures.some(({ error }) => error.message === message)) return [];
  const unlisted = failures.length - MAX_LISTED_FAILURES;
  return [
    ...failures.slice(0, MAX_LISTED_FAILURES).map(({ image, error }) => {
      const side = error.side === undefined ? '' : ` (${error.side})`;
      const what = error.detail === undefined ? error.message : `${withFullStop(error.message)} ${error.detail}`;
      return formatLine(0, SYMBOLS.failed, `${image}${side}: ${what}`);
    }),
    ...(unlisted > 0 ? [`    and ${String(unlisted)} more`] : []),
  ];
}

function describeDetail(error: DtError, options: RenderErrorOptions): string | undefined {
  if (error.code === 'DT_BUG') {
    return `This is a bug in dt ${options.version} (Node.js ${process.version}, ${process.platform} ${process.arch}).`;
  }
  const side = error.side === undefined || error.failures.length > 1 ? [] : [`The ${error.side} side failed.`];
  const text = [...(error.detail === undefined ? [] : [withFullStop(error.detail)]), ...side].join(' ');
  return text === '' ? undefined : toSafeText(text);
}

/** What a registry says ends as it likes. */
function withFullStop(text: string): string {
  return /[.!?…:]$/.test(text) ? text : `${text}.`;
}

function renderHints(error: DtError, options: RenderErrorOptions): string[] {
  const hints =
    error.code === 'DT_BUG' ? ['run the same command with --log-level debug and report what it prints'] : error.hints;
  return hints.slice(0, MAX_HINTS).map((hint) => toSafeText(hint.replaceAll('{bin}', options.bin)));
}

function renderCauses(error: DtError): string[] {
  const lines: string[] = [];
  let current: unknown = error;
  for (let depth = 0; current instanceof Error && depth < MAX_CAUSES; depth += 1) {
    const label = depth === 0 ? 'Stack: ' : 'Caused by: ';
    lines.push(label + redactSecrets(sanitizeLines(current.stack ?? `${current.name}: ${current.message}`)));
    current = current.cause;
  }
  return lines;
}

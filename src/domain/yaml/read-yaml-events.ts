import { type Event, parseEvents, YAMLException } from 'js-yaml';
import { MAX_PLACED_MARKS, MAX_YAML_DEPTH, requireBoundedYaml, toYamlError } from './parse-yaml.ts';

/** Deeper than any indentation that a line in a flow collection can have to pass. */
const PADDING = ' '.repeat(1_000);
const MAX_PADDED_LINES = 200;
/** Each such line is one more pass over the text; together they go over this many characters. */
const MAX_PARSED_CHARACTERS = 16 * 1024 * 1024;

/**
 * The event stream of all documents of the text; offsets are UTF-16 indices into it. Helm accepts a flow collection whose
 * lines are not indented, `}` below its key above all, so this does too.
 * Throws DT_YAML_INVALID; `name` is what messages call the text.
 */
export function readYamlEvents(text: string, name: string): readonly Event[] {
  requireBoundedYaml(text, name, MAX_PLACED_MARKS);
  const paddedLines: number[] = [];
  const maxPaddedLines = Math.min(MAX_PADDED_LINES, Math.floor(MAX_PARSED_CHARACTERS / (text.length + 1)));
  let padded = text;
  for (;;) {
    try {
      const events = parseEvents(padded, { maxDepth: MAX_YAML_DEPTH });
      return paddedLines.length === 0 ? events : events.map((event) => withoutPadding(event, paddedLines));
    } catch (error) {
      const lineStart = shallowLineStart(padded, error);
      const isHopeless = lineStart === undefined || padded.startsWith(PADDING, lineStart);
      if (isHopeless || paddedLines.length >= maxPaddedLines) throw toYamlError(error, name);
      // Errors come in the order of the text, so all padding so far lies in front of this line.
      paddedLines.push(lineStart);
      padded = padded.slice(0, lineStart) + PADDING + padded.slice(lineStart);
    }
  }
}

function shallowLineStart(text: string, error: unknown): number | undefined {
  if (!(error instanceof YAMLException) || error.reason !== 'deficient indentation' || error.mark === undefined)
    return undefined;
  return Math.max(text.lastIndexOf('\n', error.mark.position - 1), text.lastIndexOf('\r', error.mark.position - 1)) + 1;
}

/** Leading blanks of a continued line mean nothing, so only offsets have to be set right. */
function withoutPadding(event: Event, paddedLines: readonly number[]): Event {
  const offsets = Object.entries(event).map(([field, value]: [string, unknown]) => {
    const isOffset =
      typeof value === 'number' && (field === 'start' || /^(?:value|anchor|tag)(?:Start|End)$/.test(field));
    if (!isOffset || value === -1) return [field, value];
    return [field, value - PADDING.length * paddedLines.filter((lineStart) => lineStart < value).length];
  });
  const shifted: unknown = Object.fromEntries(offsets);
  return shifted as Event;
}

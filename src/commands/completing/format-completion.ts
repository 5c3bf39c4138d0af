import { sanitizeText } from '../../output/sanitize-text.ts';
import { isPlainWord, type Completion, type Suggestion } from '../../workflows/completing/completion.ts';

/** What the shell is to do with the lines. https://github.com/spf13/cobra/blob/main/site/content/completions/_index.md */
const DIRECTIVES = { files: 0, noSpace: 2, noFiles: 4, extensions: 8, folders: 16 } as const;

const FLAG_PATTERN = /^--?[a-z\d-]+$/;

/**
 * The answer to a shell, as programs made with Cobra give it and Helm expects it of a plugin: a suggestion on each line, with
 * its summary behind a tab, and `:N` on the last one. What a shell could read as more than one word is left out.
 */
export function formatCompletion(completion: Completion): string {
  switch (completion.kind) {
    case 'folders':
      return formatLines([], DIRECTIVES.folders);
    case 'files': {
      const { extensions = [] } = completion;
      return formatLines(extensions, extensions.length === 0 ? DIRECTIVES.files : DIRECTIVES.extensions);
    }
    case 'words': {
      const words = completion.words.filter(({ text }) => isPlainWord(text) || FLAG_PATTERN.test(text));
      const isOpen = words.length > 0 && words.every(({ text }) => text.endsWith('/'));
      return formatLines(words.map(formatSuggestion), DIRECTIVES.noFiles | (isOpen ? DIRECTIVES.noSpace : 0));
    }
  }
}

function formatSuggestion({ text, summary }: Suggestion): string {
  return summary === undefined || summary === '' ? text : `${text}\t${sanitizeText(summary)}`;
}

function formatLines(lines: readonly string[], directive: number): string {
  return [...lines, `:${String(directive)}`, ''].join('\n');
}

/** A document of a YAML text, with the marker in front of it. */
export interface DocumentText {
  readonly text: string;
  /** The line of the file that it begins on, from 1. */
  readonly firstLine: number;
}

/** At the start of a line this begins a document wherever it stands. https://yaml.org/spec/1.2.2/#912-document-markers */
const MARKER = /^---(?=[ \t\r\n]|$)/gm;

/** Cuts a text into its documents. Together they are the text; some may hold comments only, or nothing. */
export function splitDocuments(text: string): DocumentText[] {
  const starts = [...text.matchAll(MARKER)].map(({ index }) => index);
  const cuts = starts.filter((start, index) => start > 0 && !isProlog(text.slice(starts[index - 1] ?? 0, start)));
  const documents: DocumentText[] = [];
  let firstLine = 1;
  for (const [index, start] of [0, ...cuts].entries()) {
    const document = text.slice(start, cuts[index]);
    documents.push({ text: document, firstLine });
    firstLine += document.split('\n').length - 1;
  }
  return documents;
}

/** Directives (`%YAML 1.2`) belong to the document behind the marker. */
function isProlog(text: string): boolean {
  return /^%/m.test(text) && !/^[^%#\s]/m.test(text);
}

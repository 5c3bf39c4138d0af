const FONT_SIZE = 14;
const COLUMN_WIDTH = 8.43;
const LINE_HEIGHT = 19;
const MARGIN = 16;
const BACKGROUND = '#1b1f27';
const FOREGROUND = '#d8dee9';
/** The colours of SGR 30 to 37. https://en.wikipedia.org/wiki/ANSI_escape_code#Colors */
const COLORS = ['#3b4252', '#e06c75', '#98c379', '#e5c07b', '#61afef', '#c678dd', '#56b6c2', '#d8dee9'] as const;
const SGR = /\u001b\[([\d;]*)m/;

/** A picture (SVG) of what stands on a terminal; the text may have escape sequences of colours. */
export function drawTerminal(screen: string, columns: number): string {
  const lines = screen.split('\n');
  const width = Math.ceil(columns * COLUMN_WIDTH + 2 * MARGIN);
  const height = lines.length * LINE_HEIGHT + 2 * MARGIN;
  let color = FOREGROUND;
  const texts = lines.map((line, row) => {
    let column = 0;
    const spans: string[] = [];
    // Every second part is what stands between the brackets of an escape sequence.
    for (const [index, part] of line.split(SGR).entries()) {
      if (index % 2 === 1) {
        color = chooseColor(part, color);
        continue;
      }
      if (part.trim() !== '') {
        const blanks = part.length - part.trimStart().length;
        const x = (MARGIN + (column + blanks) * COLUMN_WIDTH).toFixed(1);
        spans.push(`<tspan x="${x}" fill="${color}">${escapeXml(part.trim())}</tspan>`);
      }
      column += Array.from(part).length;
    }
    return `<text y="${String(MARGIN + (row + 0.75) * LINE_HEIGHT)}">${spans.join('')}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${String(width)}" height="${String(height)}" font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="${String(FONT_SIZE)}">`,
    `<rect width="100%" height="100%" rx="8" fill="${BACKGROUND}"/>`,
    ...texts,
    '</svg>\n',
  ].join('\n');
}

function chooseColor(parameters: string, current: string): string {
  let color = current;
  for (const code of parameters.split(';').map(Number)) {
    if (code === 0 || code === 39) color = FOREGROUND;
    else if (code >= 30 && code <= 37) color = COLORS[code - 30] ?? FOREGROUND;
  }
  return color;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

import { EXIT_CODES } from '../../src/domain/errors.ts';
import { PRODUCT_DESCRIPTION, PRODUCT_NAME, PRODUCT_VERSION } from '../../src/domain/product.ts';
import type { ArgumentDescription, CommandDescription, FlagDescription } from '../../src/commands/describe-commands.ts';

const EXIT_TEXTS: Readonly<Record<keyof typeof EXIT_CODES, string>> = {
  ok: 'The command did its work.',
  other: 'Something else failed.',
  usage: 'The command line is wrong.',
  verification: 'Something is damaged, or not trusted.',
  authentication: 'A registry refused the credentials, or there were none.',
  registry: 'A registry or the network failed.',
  interrupted: 'The command was interrupted.',
};

const ENVIRONMENT: Readonly<Record<string, string>> = {
  COSIGN_PASSWORD: 'Password of the key that --sign names.',
  DOCKER_CONFIG: "Folder of Docker's config.json, which has credentials of registries.",
  DT_NODE: 'Node.js to run under.',
  HELM_BIN: 'Helm that renders charts (default: helm on PATH).',
  HELM_REGISTRY_CONFIG: "File of Helm's credentials of registries.",
  REGISTRY_AUTH_FILE: 'File of credentials that is asked before all others.',
};

/** The manual of all commands, in the man(7) macros that groff and mandoc read. */
export function formatManPage(
  commands: readonly CommandDescription[],
  globalFlags: readonly FlagDescription[],
): string {
  const lines = [
    `.TH DT 1 "" ${quote(`dt ${PRODUCT_VERSION}`)} ${quote(PRODUCT_NAME)}`,
    '.SH NAME',
    escapeText(`dt - ${PRODUCT_DESCRIPTION.charAt(0).toLowerCase()}${PRODUCT_DESCRIPTION.slice(1)}`),
    '.SH SYNOPSIS',
    '.B dt',
    '.I COMMAND',
    '[\\fIARGUMENT\\fR ...] [\\fIFLAG\\fR ...]',
    '.br',
    '.B helm dt',
    '.I COMMAND',
    '[\\fIARGUMENT\\fR ...] [\\fIFLAG\\fR ...]',
    '.SH COMMANDS',
    ...commands.flatMap(formatCommand),
    '.SH GLOBAL FLAGS',
    'Every command has these.',
    ...formatFlags(globalFlags),
    '.SH EXIT STATUS',
    ...Object.entries(EXIT_CODES).flatMap(([name, code]) =>
      formatItem(`.B ${String(code)}`, [EXIT_TEXTS[name as keyof typeof EXIT_CODES]]),
    ),
    '.SH ENVIRONMENT',
    ...Object.entries(ENVIRONMENT).flatMap(([name, text]) => formatItem(`.B ${name}`, [text])),
    '.SH SEE ALSO',
    '.BR helm (1)',
  ];
  return `${lines.join('\n')}\n`;
}

function formatCommand({ id, summary, description, args, flags, examples }: CommandDescription): string[] {
  return [
    `.SS ${quote(['dt', id, ...args.map(formatUsage)].join(' '))}`,
    `${escapeText(summary)}.`,
    ...(description === undefined ? [] : ['.PP', escapeText(description)]),
    ...args.flatMap(({ name, description: text }) => formatItem(`.I ${escapeText(name.toUpperCase())}`, [text])),
    ...formatFlags(flags.filter(({ isGlobal }) => !isGlobal)),
    ...(examples.length === 0 ? [] : ['.PP', examples.length === 1 ? 'Example:' : 'Examples:', '.PP', '.RS', '.EX']),
    ...examples.map(escapeText),
    ...(examples.length === 0 ? [] : ['.EE', '.RE']),
  ];
}

function formatUsage({ name, isRequired, isList }: ArgumentDescription): string {
  const word = name.toUpperCase() + (isList ? ' ...' : '');
  return isRequired ? word : `[${word}]`;
}

function formatFlags(flags: readonly FlagDescription[]): string[] {
  return flags.filter(({ isHidden }) => !isHidden).flatMap(formatFlag);
}

function formatFlag({
  name,
  char,
  hasNegation,
  valueName,
  options,
  summary,
  description,
  isBoolean,
}: FlagDescription): string[] {
  const long = hasNegation === true ? `--[no-]${name}` : `--${name}`;
  const value = options.length > 0 ? options.join('|') : (valueName ?? 'VALUE');
  const spelling = `\\fB${escapeText(char === undefined ? long : `-${char}, ${long}`)}\\fR`;
  const tag = isBoolean ? spelling : `${spelling} \\fI${escapeText(value)}\\fR`;
  return formatItem(tag, description === undefined ? [summary] : [`${summary}.`, description]);
}

function formatItem(tag: string, texts: readonly string[]): string[] {
  return ['.TP', tag, ...texts.map(escapeText)];
}

/** Text as it stands: no request, no escape of roff, no character beyond ASCII that an old reader would garble. */
function escapeText(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(
      /[^\u0020-\u007e]/gu,
      (character) => `\\[u${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`,
    )
    .replace(/^[.']/, '\\&$&');
}

/** One argument of a macro. */
function quote(text: string): string {
  return `"${escapeText(text).replaceAll('"', '\\(dq')}"`;
}

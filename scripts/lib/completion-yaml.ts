import type { CommandDescription, FlagDescription } from '../../src/commands/describe-commands.ts';

const HEADER =
  '# Written by "npm run build", from the table of commands. https://helm.sh/docs/topics/plugins/#static-auto-completion';
const INDENTATION = '  ';

/** The commands and flags for Helm, which completes them without starting the plugin. */
export function formatCompletionYaml(commands: readonly CommandDescription[]): string {
  const groups = new Map<string, CommandDescription[]>();
  for (const command of commands) {
    const [group = ''] = command.id.split(' ');
    groups.set(group, [...(groups.get(group) ?? []), command]);
  }
  const lines = [...groups].flatMap(([name, members]) => formatTop(name, members));
  return `${[HEADER, ...formatFlags([]), 'commands:', ...indent([...lines, '- name: "help"'])].join('\n')}\n`;
}

function formatTop(name: string, members: readonly CommandDescription[]): string[] {
  const [first] = members;
  if (first?.id === name) return formatCommand(name, first.flags);
  const lines = members.flatMap(({ id, flags }) => formatCommand(id.slice(name.length + 1), flags));
  return [...formatCommand(name, []), ...indent(['commands:', ...indent(lines)])];
}

function formatCommand(name: string, flags: readonly FlagDescription[]): string[] {
  return [`- name: ${quote(name)}`, ...indent(formatFlags(flags))];
}

function formatFlags(flags: readonly FlagDescription[]): string[] {
  const names = flags
    .filter(({ isHidden }) => !isHidden)
    .flatMap(({ name, char, hasNegation }) => [
      name,
      ...(hasNegation === true ? [`no-${name}`] : []),
      ...(char === undefined ? [] : [char]),
    ]);
  return ['flags:', ...indent(['help', ...names].map((name) => `- ${quote(name)}`))];
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => INDENTATION + line);
}

/** Plain, `yes` would be no text but true. */
function quote(text: string): string {
  return JSON.stringify(text);
}

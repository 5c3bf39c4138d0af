/** What the surroundings of the process say. The only file that reads `process.env`. */
export interface Environment {
  /** A copy of all variables, for code that takes an environment (credentials, proxies, child processes). */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** `helm dt` when Helm started the program, else `dt`. */
  readonly bin: 'helm dt' | 'dt';
  /** True in a continuous integration job. */
  readonly isCi: boolean;
  /** True when the user gave Helm's own `--debug`, which Helm removes from the arguments. */
  readonly isHelmDebug: boolean;
  /** Kind of terminal, as `TERM` names it. */
  readonly terminal: string | undefined;
}

/** Reads the environment of the process once. */
export function readEnvironment(source: NodeJS.ProcessEnv = process.env): Environment {
  const variables = { ...source };
  const isUnderHelm = isSet(variables['HELM_PLUGIN_NAME']) || isSet(variables['HELM_PLUGIN_DIR']);
  return {
    variables,
    bin: isUnderHelm ? 'helm dt' : 'dt',
    isCi: isSet(variables['CI']) && !['false', '0'].includes(variables['CI'] ?? ''),
    isHelmDebug: ['true', '1'].includes(variables['HELM_DEBUG'] ?? ''),
    terminal: variables['TERM'],
  };
}

/** Keeps oclif from looking for a theme file in the user's folders at every start. */
export function disableOclifTheme(): void {
  process.env['DT_DISABLE_THEME'] = 'true';
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '';
}

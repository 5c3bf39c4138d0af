import type { Shell } from './shells.ts';

// Bash cuts words at `=` and `:` too, and replaces only what stands behind the last of them.
const BASH = `# bash completion of dt
_dt() {
  local words=("\${COMP_WORDS[0]}") lines=() rest gap part value typed line directive last i
  rest=\${COMP_LINE#*"\${COMP_WORDS[0]}"}
  for ((i = 1; i <= COMP_CWORD; i++)); do
    part=\${COMP_WORDS[i]}
    gap=\${rest%%[![:space:]]*}
    rest=\${rest#"$gap"}
    rest=\${rest#"$part"}
    last=$((\${#words[@]} - 1))
    if [[ -z $gap ]]; then words[last]+=$part; else words+=("$part"); fi
  done
  while IFS= read -r line; do lines+=("$line"); done < <("\${words[0]}" __complete "\${words[@]:1}" 2>/dev/null)
  last=$((\${#lines[@]} - 1))
  COMPREPLY=()
  ((last >= 0)) || return
  directive=\${lines[last]#:}
  unset "lines[last]"
  ((directive & 8)) && return
  ((directive & 2)) && compopt -o nospace
  ((directive & 4)) && compopt +o default
  ((directive & 16)) && compopt +o default -o dirnames
  value=\${words[\${#words[@]} - 1]}
  if [[ $value == -*=* ]]; then value=\${value#*=}; fi
  typed=$part
  if [[ $typed == [:=] ]]; then typed=; fi
  for line in "\${lines[@]}"; do
    line=\${line%%$'\\t'*}
    COMPREPLY+=("\${line#"\${value%"$typed"}"}")
  done
}
complete -o default -F _dt dt
`;

const ZSH = `#compdef dt
_dt() {
  local -a lines suggestions space
  local line text summary directive
  lines=("\${(@f)$("\${words[1]}" __complete "\${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}")
  directive=\${lines[-1]#:}
  lines[-1]=()
  if [[ $PREFIX == -*=* ]]; then compset -P '*='; fi
  if ((directive & 16)); then
    _files -/
  elif ((directive & 8)); then
    _files -g "*.(\${(j:|:)lines})"
  elif ((\${#lines})); then
    for line in "\${lines[@]}"; do
      text=\${line%%$'\\t'*}
      summary=\${line#$text}
      suggestions+=("\${text//:/\\\\:}\${summary:+:\${summary#$'\\t'}}")
    done
    ((directive & 2)) && space=(-S '')
    _describe dt suggestions "\${space[@]}"
  elif ! ((directive & 4)); then
    _files
  fi
}
if [[ $funcstack[1] == _dt ]]; then _dt "$@"; else compdef _dt dt; fi
`;

const FISH = `# fish completion of dt
function __dt_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l program $words[1]
  set -e words[1]
  set -l lines ($program __complete $words "$current" 2>/dev/null)
  set -q lines[1]; or return
  set -l directive (string sub --start 2 -- $lines[-1])
  set -e lines[-1]
  if test $directive -eq 16
    __fish_complete_directories $current
  else if test $directive -eq 0 -o $directive -eq 8
    __fish_complete_path $current
  else
    set -l flag (string match --regex -- '^-[^=]*=' $current; or echo '')
    for line in $lines
      echo -- $flag$line
    end
  end
end
complete --command dt --no-files --arguments '(__dt_complete)'
`;

/** What a shell reads once, and then asks `dt __complete` about every line. */
export const SHELL_SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };

import * as Args from '@oclif/core/args';
import { BaseCommand } from './base-command.ts';
import { SHELLS } from './completing/shells.ts';

export default class CompletionCommand extends BaseCommand<typeof CompletionCommand> {
  static override summary = 'Print the script that lets a shell complete the command lines of dt';
  static override description =
    'For the program without Helm: the completion of Helm itself ("helm completion") completes those of "helm dt".';
  static override args = {
    shell: Args.option({ options: SHELLS })({ required: true, description: 'bash, zsh or fish' }),
  };
  static override examples = [
    '<%= config.bin %> <%= command.id %> bash > ~/.local/share/bash-completion/completions/dt',
    '<%= config.bin %> <%= command.id %> zsh > "${fpath[1]}/_dt"',
    '<%= config.bin %> <%= command.id %> fish > ~/.config/fish/completions/dt.fish',
  ];

  protected override async execute(): Promise<object> {
    const { shell } = this.args;
    const { SHELL_SCRIPTS } = await import('./completing/shell-scripts.ts');
    const script = SHELL_SCRIPTS[shell];
    this.printResult(script.trimEnd());
    return { shell, script };
  }
}

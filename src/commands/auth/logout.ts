import * as Args from '@oclif/core/args';
import { BaseCommand } from '../base-command.ts';

export default class AuthLogoutCommand extends BaseCommand<typeof AuthLogoutCommand> {
  static override summary = 'Forget the credentials of a registry';
  static override description =
    "Removes what auth login has kept, in $REGISTRY_AUTH_FILE or Docker's config.json and in the credential helper that the file names.";
  static override args = {
    registry: Args.string({ required: true, description: 'registry, or registry and path' }),
  };
  static override examples = ['<%= config.bin %> <%= command.id %> registry.example.com'];

  protected override async execute(): Promise<object> {
    const { logOut } = await import('../../workflows/log-out.ts');
    const result = await logOut(this.args.registry, await this.createRunContext());
    this.printSuccess(
      result.removed
        ? `Logged out of ${this.args.registry}; its entry is gone from ${result.file}`
        : `${result.file} has no entry for ${this.args.registry}`,
    );
    return result;
  }
}

import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { formatAccess } from '../../output/access-report.ts';
import { BaseCommand } from '../base-command.ts';

export default class AuthCheckCommand extends BaseCommand<typeof AuthCheckCommand> {
  static override summary = 'Show which credentials are used for an image or repository, and try them';
  static override description =
    'Asks for the manifest, or with --push opens an upload and cancels it. Ends with 4 if the registry refuses and with 5 if it cannot be reached.';
  static override args = {
    reference: Args.string({ required: true, description: 'image, chart or repository' }),
  };
  static override flags = {
    push: Flags.boolean({ summary: 'try to push instead of to pull' }),
  };
  static override examples = [
    '<%= config.bin %> <%= command.id %> registry.example.com/team/app:1.0',
    '<%= config.bin %> <%= command.id %> registry.internal/mirror/app --push',
  ];

  protected override async execute(): Promise<object> {
    const { flags, args } = this;
    const { checkAccess } = await import('../../workflows/check-access.ts');
    const action = flags.push ? 'push' : 'pull';
    const result = await checkAccess({ reference: args.reference, action }, await this.createRunContext());
    this.printSuccess(`${action === 'push' ? 'Push to' : 'Pull of'} ${result.reference} works`);
    this.printResult(formatAccess(result));
    return result;
  }
}

import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../base-command.ts';
import { readCredentialFlags, referenceCredentialRegistry } from '../credential-flags.ts';
import { describeOutput } from '../describe-output.ts';
import { findStandardOutput } from '../standard-output.ts';
import { readWrapFlags, WRAP_FLAGS } from '../wrap-flags.ts';

export default class ImagesWrapCommand extends BaseCommand<typeof ImagesWrapCommand> {
  static override summary = 'Make one file of a container image, without a chart';
  static override args = {
    reference: Args.string({ required: true, description: 'image, for instance registry.example.com/app/web:1.2.3' }),
  };
  static override flags = {
    'output-file': Flags.string({
      char: 'o',
      summary: 'file to write, or - for standard output (default: IMAGE-TAG.container.wrap.tgz)',
      helpValue: 'FILE',
    }),
    ...WRAP_FLAGS,
  };
  static override examples = [
    '<%= config.bin %> <%= command.id %> registry.example.com/app/web:1.2.3',
    '<%= config.bin %> <%= command.id %> registry.example.com/app/web:1.2.3 --platforms linux/amd64',
  ];

  protected override async execute(): Promise<object> {
    const { flags, args } = this;
    const credential = await readCredentialFlags(
      flags,
      () => referenceCredentialRegistry(args.reference),
      this.credentialInput,
    );
    const stream = findStandardOutput(flags, this.context.stdout);
    const { wrapImages } = await import('../../workflows/wrap-images.ts');
    const result = await wrapImages(
      {
        reference: args.reference,
        outputFile: flags['output-file'],
        stream,
        ...readWrapFlags(flags),
      },
      await this.createRunContext(credential),
    );
    if (stream !== undefined) this.reporter.info(`Image wrapped to standard output (${describeOutput(result)})`);
    else this.printSuccess(`Image wrapped into "${result.file}" (${describeOutput(result)})`);
    return result;
  }
}

import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { formatBytes } from '../../domain/format-quantity.ts';
import { BaseCommand } from '../base-command.ts';
import { readCredentialFlags, referenceCredentialRegistry } from '../credential-flags.ts';
import { readWrapFlags, WRAP_FLAGS } from '../wrap-flags.ts';

export default class ImagesWrapCommand extends BaseCommand<typeof ImagesWrapCommand> {
  static override summary = 'Make one file of a container image, without a chart';
  static override args = {
    reference: Args.string({ required: true, description: 'image, for instance registry.example.com/app/web:1.2.3' }),
  };
  static override flags = {
    'output-file': Flags.string({
      summary: 'file to write (default: IMAGE-TAG.container.wrap.tgz)',
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
    const { wrapImages } = await import('../../workflows/wrap-images.ts');
    const result = await wrapImages(
      {
        reference: args.reference,
        outputFile: flags['output-file'],
        ...readWrapFlags(flags),
      },
      await this.createRunContext(credential),
    );
    this.printSuccess(`Image wrapped into "${result.file}" (${formatBytes(result.sizeBytes)})`);
    return result;
  }
}

import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { formatBytes } from '../../domain/format-quantity.ts';
import { BaseCommand } from '../base-command.ts';
import { CREDENTIAL_FLAGS, readCredentialFlags, referenceCredentialRegistry } from '../credential-flags.ts';
import { IMAGE_CONTENT_FLAGS, readImageContentFlags } from '../image-content-flags.ts';
import { SIGN_FLAG } from '../sign-flag.ts';

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
    ...IMAGE_CONTENT_FLAGS,
    ...CREDENTIAL_FLAGS,
    compat: Flags.boolean({ summary: 'store copies of shared layers, for the Go dt' }),
    'skip-preflight': Flags.boolean({
      summary: 'do not look first whether the output can be written and has enough space',
    }),
    sign: SIGN_FLAG,
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
        ...readImageContentFlags(flags),
        isCompatible: flags.compat,
        skipPreflight: flags['skip-preflight'],
        signKeyFile: flags.sign,
      },
      await this.createRunContext(credential),
    );
    this.printSuccess(`Image wrapped into "${result.file}" (${formatBytes(result.sizeBytes)})`);
    return result;
  }
}

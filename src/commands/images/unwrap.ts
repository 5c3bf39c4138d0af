import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../base-command.ts';
import { prefixCredentialRegistry, readCredentialFlags } from '../credential-flags.ts';
import { PUSH_FLAGS, readPushFlags, requireAnswers } from '../push-flags.ts';
import { NAMING_FLAGS, readRelocationFlags } from '../relocation-flags.ts';
import { readWrapInput, WRAP_INPUT_DESCRIPTION, WRAP_INPUT_FLAGS } from '../wrap-input-flags.ts';

export default class ImagesUnwrapCommand extends BaseCommand<typeof ImagesUnwrapCommand> {
  static override summary = 'Push the image of a container wrap to a registry';
  static override description = 'The image goes under the prefix, by default with the last part of its repository.';
  static override args = {
    file: Args.string({ required: true, description: WRAP_INPUT_DESCRIPTION }),
    prefix: Args.string({
      required: true,
      description: 'registry and path, for instance oci://registry.internal/mirror',
    }),
  };
  static override flags = {
    ...WRAP_INPUT_FLAGS,
    ...PUSH_FLAGS,
    ...NAMING_FLAGS,
    'preserve-digest': Flags.boolean({
      summary: 'keep the digest of the image: always done, but for --index filtered',
    }),
  };
  static override examples = [
    '<%= config.bin %> <%= command.id %> web-1.2.3.container.wrap.tgz oci://registry.internal/mirror --yes',
  ];

  protected override async execute(): Promise<object> {
    const { flags, args } = this;
    requireAnswers(flags, args.file);
    const credential = await readCredentialFlags(
      flags,
      () => prefixCredentialRegistry(args.prefix),
      this.credentialInput,
    );
    const { unwrapImages } = await import('../../workflows/unwrap-images.ts');
    const result = await unwrapImages(
      {
        ...readWrapInput(args.file, flags, this.context),
        prefix: args.prefix,
        ...readPushFlags(flags),
        ...readRelocationFlags(flags),
      },
      await this.createRunContext(credential),
    );
    if (!result.pushed) {
      this.printResult('Nothing was pushed. Answer yes, or pass --yes, to push.');
      return result;
    }
    for (const { target, digest } of result.images) this.printSuccess(`${target} is ${digest}`);
    return result;
  }
}

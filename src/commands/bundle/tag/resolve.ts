import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../../base-command.ts';
import { readRegistryFlags, REGISTRY_FLAGS } from '../../registry-flags.ts';
import { listRegistries } from '../source-flags.ts';

export default class BundleTagResolveCommand extends BaseCommand<typeof BundleTagResolveCommand> {
  static override summary = 'Print an image with its digest';
  static override flags = {
    image: Flags.string({ char: 'i', summary: 'image', helpValue: 'IMAGE', required: true }),
    ...REGISTRY_FLAGS,
  };
  static override examples = ['<%= config.bin %> <%= command.id %> -i registry.example.com/guestbook-bundle:1.0'];

  protected override async execute(): Promise<object> {
    const { flags } = this;
    const { image } = flags;
    const overrides = readRegistryFlags(flags, this.context.environment.variables, () => listRegistries(image));
    const { resolveBundleTag } = await import('../../../workflows/resolve-bundle-tag.ts');
    const context = await this.createRunContext(overrides.credential, overrides);
    const result = await resolveBundleTag(image, context);
    this.printResult(result.reference);
    return result;
  }
}

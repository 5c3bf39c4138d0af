import * as Flags from '@oclif/core/flags';
import { alignColumns } from '../../../output/align-columns.ts';
import { BaseCommand } from '../../base-command.ts';
import { readRegistryFlags, REGISTRY_FLAGS } from '../../registry-flags.ts';
import { listRegistries } from '../source-flags.ts';

export default class BundleTagListCommand extends BaseCommand<typeof BundleTagListCommand> {
  static override summary = 'List the tags of a repository';
  static override flags = {
    image: Flags.string({ char: 'i', summary: 'repository', helpValue: 'REPOSITORY', required: true }),
    digests: Flags.boolean({ summary: 'also the digest of each' }),
    'imgpkg-internal-tags': Flags.boolean({ summary: 'also the tags that keep copied images alive (….imgpkg)' }),
    ...REGISTRY_FLAGS,
  };
  static override examples = ['<%= config.bin %> <%= command.id %> -i registry.example.com/guestbook-bundle --digests'];

  protected override async execute(): Promise<object> {
    const { flags } = this;
    const { image } = flags;
    const overrides = readRegistryFlags(flags, this.context.environment.variables, () => listRegistries(image));
    const { listBundleTags } = await import('../../../workflows/list-bundle-tags.ts');
    const result = await listBundleTags(
      { repository: image, withDigests: flags.digests, withInternal: flags['imgpkg-internal-tags'] },
      await this.createRunContext(overrides.credential, overrides),
    );
    const lines = alignColumns(result.tags.map(({ tag, digest }) => (digest === undefined ? [tag] : [tag, digest])));
    if (lines.length > 0) this.printResult(lines.join('\n'));
    return result;
  }
}

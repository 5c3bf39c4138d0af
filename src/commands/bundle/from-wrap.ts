import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { formatBytes, formatCount } from '../../domain/format-quantity.ts';
import { BaseCommand } from '../base-command.ts';
import { readRegistryFlags, REGISTRY_FLAGS } from '../registry-flags.ts';
import { listRegistries, requireOne } from './source-flags.ts';

export default class BundleFromWrapCommand extends BaseCommand<typeof BundleFromWrapCommand> {
  static override summary = 'Make a Carvel bundle of a wrap, for sites that use imgpkg';
  static override description =
    'The bundle is the chart with an .imgpkg/images.yml that names the images of the wrap; its tag is the version of the chart. ' +
    'The tar is one that "imgpkg copy --tar" and "bundle copy --tar" take.';
  static override args = {
    file: Args.string({ required: true, description: 'wrap file of one chart' }),
  };
  static override flags = {
    'to-tar': Flags.string({ summary: 'tar to write', helpValue: 'FILE' }),
    'to-repo': Flags.string({ summary: 'repository that everything goes to', helpValue: 'REPOSITORY' }),
    ...REGISTRY_FLAGS,
  };
  static override examples = [
    '<%= config.bin %> <%= command.id %> contour-19.3.2.wrap.tgz --to-tar contour-bundle.tar',
  ];

  protected override async execute(): Promise<object> {
    const { flags, args } = this;
    const repository = flags['to-repo'];
    const toTar = flags['to-tar'];
    requireOne({ '--to-repo': repository, '--to-tar': toTar }, 'target');
    const overrides = readRegistryFlags(flags, this.context.environment.variables, () => listRegistries(repository));
    const { bundleFromWrap } = await import('../../workflows/bundle-from-wrap.ts');
    const toRepository = repository === undefined ? undefined : { repository };
    const context = await this.createRunContext(overrides.credential, overrides);
    const result = await bundleFromWrap({ file: args.file, toRepository, toTar }, context);
    const images = formatCount(result.images.length, 'image');
    if (result.file === undefined) this.printSuccess(`${images} copied to ${repository ?? ''}`);
    else this.printSuccess(`${images} copied into "${result.file}" (${formatBytes(result.sizeBytes ?? 0)})`);
    return result;
  }
}

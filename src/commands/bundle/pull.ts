import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../base-command.ts';
import { readRegistryFlags, REGISTRY_FLAGS } from '../registry-flags.ts';
import { BUNDLE_FLAG, IMAGE_FLAG, listRegistries, requireOne } from './source-flags.ts';

export default class BundlePullCommand extends BaseCommand<typeof BundlePullCommand> {
  static override summary = 'Unpack a Carvel bundle, or the files of an image, into a folder';
  static override description =
    'The folder is made anew: what was in it is removed when the new content is complete. Where all images of a bundle have been copied along with it, ' +
    'its .imgpkg/images.yml names the copies.';
  static override flags = {
    bundle: BUNDLE_FLAG,
    image: IMAGE_FLAG,
    lock: Flags.string({ summary: 'BundleLock that names the bundle', helpValue: 'FILE' }),
    output: Flags.string({ char: 'o', summary: 'folder', helpValue: 'DIR', required: true }),
    recursive: Flags.boolean({ char: 'r', summary: 'also the bundles that the bundle names' }),
    'image-is-bundle-check': Flags.boolean({
      summary: 'refuse a bundle where -i names it',
      default: true,
      allowNo: true,
    }),
    ...REGISTRY_FLAGS,
  };
  static override examples = [
    '<%= config.bin %> <%= command.id %> -b registry.example.com/guestbook-bundle:1.0 -o guestbook',
    '<%= config.bin %> <%= command.id %> --lock guestbook.lock.yml -o guestbook -r',
  ];

  protected override async execute(): Promise<object> {
    const { flags } = this;
    const { bundle, image, lock } = flags;
    requireOne({ '--bundle': bundle, '--image': image, '--lock': lock }, 'source');
    const overrides = readRegistryFlags(flags, this.context.environment.variables, () => listRegistries(bundle, image));
    const { pullBundle } = await import('../../workflows/pull-bundle.ts');
    const result = await pullBundle(
      {
        bundle,
        image,
        lockFile: lock,
        outputFolder: flags.output,
        isRecursive: flags.recursive,
        checksKind: flags['image-is-bundle-check'],
      },
      await this.createRunContext(overrides.credential, overrides),
    );
    this.printSuccess(`${result.reference} unpacked into "${result.folder}"`);
    for (const nested of result.nested) this.printSuccess(`${nested.reference} unpacked into "${nested.folder}"`);
    return result;
  }
}

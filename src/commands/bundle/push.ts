import * as Flags from '@oclif/core/flags';
import { DtError } from '../../domain/errors.ts';
import { BaseCommand } from '../base-command.ts';
import { readRegistryFlags, REGISTRY_FLAGS } from '../registry-flags.ts';
import { BUNDLE_FLAG, IMAGE_FLAG, listRegistries, requireOne } from './source-flags.ts';

/** No repository belongs into a bundle. */
const DEFAULT_EXCLUSIONS = ['.git'];

export default class BundlePushCommand extends BaseCommand<typeof BundlePushCommand> {
  static override summary = 'Push files and folders as a Carvel bundle, or as a plain image';
  static override description =
    'A bundle has a folder .imgpkg with an images.yml at its top, which is checked. The same files give the same digest, and what the registry has is not sent again. ' +
    'Files keep the permissions of their owner only, as with imgpkg.';
  static override flags = {
    bundle: BUNDLE_FLAG,
    image: IMAGE_FLAG,
    file: Flags.string({
      char: 'f',
      summary: 'file or folder; may be repeated',
      helpValue: 'PATH',
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
      required: true,
    }),
    'file-exclusion': Flags.string({
      summary: 'path in the bundle to leave out, beside .git; may be repeated',
      helpValue: 'PATH',
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
    }),
    labels: Flags.string({
      char: 'l',
      summary: 'label of the image; may be repeated',
      helpValue: 'KEY=VALUE',
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
    }),
    'lock-output': Flags.string({ summary: 'BundleLock to write', helpValue: 'FILE' }),
    'preserve-permissions': Flags.boolean({ summary: 'keep the permissions of group and others' }),
    ...REGISTRY_FLAGS,
  };
  static override examples = [
    '<%= config.bin %> <%= command.id %> -b registry.example.com/guestbook-bundle:1.0 -f .',
    '<%= config.bin %> <%= command.id %> -i registry.example.com/files:1 -f ./docs -l team=web',
  ];

  protected override async execute(): Promise<object> {
    const { flags } = this;
    const { bundle, image } = flags;
    requireOne({ '--bundle': bundle, '--image': image }, 'target');
    const reference = bundle ?? image ?? '';
    if (image !== undefined && flags['lock-output'] !== undefined) {
      throw new DtError('DT_USAGE', '--lock-output is for bundles: there is no lock for a plain image');
    }
    const overrides = readRegistryFlags(flags, this.context.environment.variables, () => listRegistries(reference));
    const { pushBundle } = await import('../../workflows/push-bundle.ts');
    const result = await pushBundle(
      {
        kind: bundle === undefined ? 'image' : 'bundle',
        reference,
        files: flags.file,
        exclusions: [...DEFAULT_EXCLUSIONS, ...(flags['file-exclusion'] ?? [])],
        labels: Object.fromEntries((flags.labels ?? []).map(parseLabel)),
        lockOutput: flags['lock-output'],
        preservePermissions: flags['preserve-permissions'],
      },
      await this.createRunContext(overrides.credential, overrides),
    );
    this.printSuccess(`${result.isPresent ? 'Already there' : 'Pushed'}: ${result.reference}`);
    return result;
  }
}

/** Throws DT_USAGE. */
function parseLabel(text: string): [string, string] {
  const equals = text.indexOf('=');
  if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)];
  throw new DtError('DT_USAGE', `"${text}" is no label: KEY=VALUE`);
}

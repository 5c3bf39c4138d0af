import * as Flags from '@oclif/core/flags';
import { formatCount } from '../../domain/format-quantity.ts';
import { formatLikelyImages } from '../../output/likely-images.ts';
import { BaseCommand } from '../base-command.ts';
import { MANIFEST_FLAGS, readKbldRegistryFlags, readManifestFlags } from '../manifest-flags.ts';

export default class ManifestsLockCommand extends BaseCommand<typeof ManifestsLockCommand> {
  static override summary = 'Lock the images of Kubernetes manifests by digest, as kbld does';
  static override description =
    'Finds every key called image, and what the search rules of a kbld Config among the manifests say, and asks the registries for the digests. ' +
    'Without an output file the ImagesLock is printed. What only looks like an image, in a variable, an argument, a text or a custom resource, is listed apart.';
  static override flags = {
    ...MANIFEST_FLAGS,
    'include-likely': Flags.boolean({
      summary: 'lock what only looks like an image as well, if a registry has it',
    }),
  };
  static override examples = [
    '<%= config.bin %> <%= command.id %> -f config --imgpkg-lock-output .imgpkg/images.yml',
    'kubectl kustomize . | <%= config.bin %> <%= command.id %> -f - --lock-output kbld.lock.yml',
  ];

  protected override async execute(): Promise<object> {
    const { flags, reporter } = this;
    const { lockManifests } = await import('../../workflows/lock-manifests.ts');
    const includesLikely = flags['include-likely'];
    const { images, likely, files, lockText } = await lockManifests(
      { ...readManifestFlags(flags, this.context), includesLikely },
      await this.createRunContext(undefined, readKbldRegistryFlags(flags)),
    );
    if (!includesLikely) for (const line of formatLikelyImages(likely)) reporter.info(line);
    if (lockText !== undefined) this.printResult(lockText.trimEnd());
    else this.printSuccess(`${files.join(', ')} written (${formatCount(images.length, 'image')})`);
    return {
      files,
      images: images.map(({ image, resolved, places }) => ({ reference: image, resolved: resolved.url, places })),
      likely: likely.map(({ image, field, places }) => ({
        reference: image,
        field,
        isLocked: images.some((locked) => locked.image === image),
        places,
      })),
    };
  }
}

import * as Flags from '@oclif/core/flags';
import { DtError } from '../../domain/errors.ts';
import { formatBytes, formatCount } from '../../domain/format-quantity.ts';
import { BaseCommand } from '../base-command.ts';
import { readRegistryFlags, REGISTRY_FLAGS } from '../registry-flags.ts';
import { BUNDLE_FLAG, IMAGE_FLAG, listRegistries, requireOne } from './source-flags.ts';

export default class BundleCopyCommand extends BaseCommand<typeof BundleCopyCommand> {
  static override summary = 'Copy a Carvel bundle with its images to another repository or into a tar';
  static override description =
    'Takes the images that the bundle names, the bundles among them with theirs, and what is attached to any of them. Digests do not change. ' +
    'imgpkg reads the tar, and its tars are read here. A copy into a tar that was interrupted is continued by the same command.';
  static override flags = {
    bundle: BUNDLE_FLAG,
    image: IMAGE_FLAG,
    lock: Flags.string({ summary: 'BundleLock or ImagesLock', helpValue: 'FILE' }),
    tar: Flags.string({ summary: 'tar of an earlier copy', helpValue: 'FILE' }),
    'to-repo': Flags.string({ summary: 'repository that everything goes to', helpValue: 'REPOSITORY' }),
    'to-tar': Flags.string({ summary: 'tar to write', helpValue: 'FILE' }),
    resume: Flags.boolean({ summary: 'take layers from the tar that is there' }),
    'lock-output': Flags.string({ summary: 'lock with the new places', helpValue: 'FILE' }),
    'repo-based-tags': Flags.boolean({
      summary: 'begin tags with the path of the repository that an image comes from',
    }),
    'keep-names': Flags.boolean({
      summary:
        'images keep their own repositories, under --to-repo as a prefix; imgpkg does not find them there, dt does',
    }),
    'cosign-signatures': Flags.boolean({
      summary: 'of what is attached only the signatures of cosign, as imgpkg does; everything goes along otherwise',
    }),
    'no-referrers': Flags.boolean({ summary: 'leave signatures, attestations and other attached artifacts out' }),
    'include-non-distributable-layers': Flags.boolean({
      summary: 'take layers along that images only point to, if their licence lets you',
    }),
    ...REGISTRY_FLAGS,
  };
  static override examples = [
    '<%= config.bin %> <%= command.id %> -b source.example.com/guestbook-bundle:1.0 --to-repo harbor.example.com/library/guestbook-bundle',
    '<%= config.bin %> <%= command.id %> -b source.example.com/guestbook-bundle:1.0 --to-tar guestbook.tar',
    '<%= config.bin %> <%= command.id %> --tar guestbook.tar --to-repo harbor.example.com/library/guestbook-bundle --lock-output guestbook.lock.yml',
  ];

  protected override async execute(): Promise<object> {
    const { flags } = this;
    const { bundle, image, lock, tar } = flags;
    const toRepository = flags['to-repo'];
    const toTar = flags['to-tar'];
    requireOne({ '--bundle': bundle, '--image': image, '--lock': lock, '--tar': tar }, 'source');
    requireOne({ '--to-repo': toRepository, '--to-tar': toTar }, 'target');
    this.#requireFitting();
    const overrides = readRegistryFlags(flags, this.context.environment.variables, () =>
      listRegistries(bundle, image, toRepository),
    );
    const { copyBundle } = await import('../../workflows/copy-bundle.ts');
    const keepsNames = flags['keep-names'];
    const isRepositoryBased = flags['repo-based-tags'];
    const result = await copyBundle(
      {
        bundle,
        image,
        lockFile: lock,
        tar,
        toRepository:
          toRepository === undefined ? undefined : { repository: toRepository, keepsNames, isRepositoryBased },
        toTar,
        resume: flags.resume,
        lockOutput: flags['lock-output'],
        attached: flags['no-referrers'] ? 'none' : flags['cosign-signatures'] ? 'signatures' : 'all',
        includeNonDistributable: flags['include-non-distributable-layers'],
      },
      await this.createRunContext(overrides.credential, overrides),
    );
    const images = formatCount(result.images.length, 'image');
    if (result.file === undefined) this.printSuccess(`${images} copied to ${toRepository ?? ''}`);
    else this.printSuccess(`${images} copied into "${result.file}" (${formatBytes(result.sizeBytes ?? 0)})`);
    return result;
  }

  /** Throws DT_USAGE. */
  #requireFitting(): void {
    const { flags } = this;
    if (flags['to-tar'] !== undefined && flags['lock-output'] !== undefined) {
      throw new DtError('DT_USAGE', '--lock-output is for a copy to a repository: images in a tar have no place');
    }
    if (flags['to-tar'] === undefined && flags.resume) {
      throw new DtError('DT_USAGE', '--resume is for a copy into a tar: a repository takes nothing twice anyway');
    }
    if (flags['keep-names'] && flags['to-tar'] !== undefined) {
      throw new DtError('DT_USAGE', '--keep-names is for a copy to a repository');
    }
  }
}

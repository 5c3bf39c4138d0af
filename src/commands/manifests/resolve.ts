import * as Flags from '@oclif/core/flags';
import { DtError } from '../../domain/errors.ts';
import { BaseCommand } from '../base-command.ts';
import { MANIFEST_FLAGS, readKbldRegistryFlags, readManifestFlags } from '../manifest-flags.ts';

export default class ManifestsResolveCommand extends BaseCommand<typeof ManifestsResolveCommand> {
  static override summary = 'Print Kubernetes manifests with their images by digest, as kbld does';
  static override description =
    'Locks among the manifests (an ImagesLock of .imgpkg/images.yml, a lock of kbld) tell the digests, else the registries are asked. ' +
    'Comments and the order of documents and keys stay as they are.';
  static override flags = {
    ...MANIFEST_FLAGS,
    'images-annotation': Flags.boolean({
      summary: 'tell in the annotation kbld.k14s.io/images of each object where its images come from',
      default: true,
      allowNo: true,
    }),
    sort: Flags.boolean({ summary: 'print as kbld does: keys sorted, lists of objects taken apart, no comments' }),
    'unresolved-inspect': Flags.boolean({ summary: 'only list the images as they are written' }),
  };
  static override examples = [
    '<%= config.bin %> <%= command.id %> -f config -f .imgpkg/images.yml | kubectl apply -f -',
    '<%= config.bin %> <%= command.id %> -f config --images-annotation=false',
  ];

  protected override async execute(): Promise<object> {
    const { flags } = this;
    const options = readManifestFlags(flags, this.context);
    const { resolveManifests, listManifestImages } = await import('../../workflows/resolve-manifests.ts');
    if (flags['unresolved-inspect']) {
      if (options.imgpkgLockFile !== undefined || options.kbldLockFile !== undefined) {
        throw new DtError('DT_USAGE', '--unresolved-inspect resolves nothing, and so there is nothing to lock');
      }
      const { text, images } = await listManifestImages(options);
      this.printResult(withoutLastLineEnd(text));
      return { files: [], images: images.map(({ image, places }) => ({ reference: image, places })) };
    }
    const { text, images, files } = await resolveManifests(
      { ...options, annotates: flags['images-annotation'], form: flags.sort ? 'sorted' : 'as-written' },
      await this.createRunContext(undefined, readKbldRegistryFlags(flags)),
    );
    if (text !== '') this.printResult(withoutLastLineEnd(text));
    return {
      files,
      manifests: text,
      images: images.map(({ image, resolved, places }) => ({ reference: image, resolved: resolved.url, places })),
    };
  }
}

/** It is printed with one. */
function withoutLastLineEnd(text: string): string {
  return text.replace(/\n$/, '');
}

import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { parsePlatform } from '../../domain/oci/platform.ts';
import { formatCount } from '../../domain/format-quantity.ts';
import { STANDARD_STREAM } from '../../domain/standard-stream.ts';
import { BaseCommand } from '../base-command.ts';
import { chartCredentialRegistry, CREDENTIAL_FLAGS, readCredentialFlags } from '../credential-flags.ts';
import { PLATFORMS_FLAG } from '../platforms-flag.ts';
import { readSearchFlags, SEARCH_FLAGS } from '../search-flags.ts';

const STANDARD_OUTPUT = '/dev/stdout';

export default class ImagesLockCommand extends BaseCommand<typeof ImagesLockCommand> {
  static override summary = 'Write the Images.lock of a chart: the digests of all its images';
  static override description =
    'Images that the annotations of the chart name, then those that its rendering runs. The chart is rendered by your own Helm ($HELM_BIN, or helm on PATH), offline.';
  static override args = {
    chart: Args.string({ required: true, description: 'folder or .tgz of the chart' }),
  };
  static override flags = {
    'output-file': Flags.string({
      summary: 'file to write (default: Images.lock in the chart folder)',
      helpValue: 'FILE',
    }),
    platforms: PLATFORMS_FLAG,
    ...SEARCH_FLAGS,
    ...CREDENTIAL_FLAGS,
  };
  static override examples = [
    '<%= config.bin %> <%= command.id %> ./contour',
    '<%= config.bin %> <%= command.id %> ./contour -f site.yaml --platforms linux/amd64',
  ];

  protected override async execute(): Promise<object> {
    const { flags, args } = this;
    const credential = await readCredentialFlags(
      flags,
      () => chartCredentialRegistry(args.chart),
      this.credentialInput,
    );
    const outputFile = flags['output-file'] === STANDARD_STREAM ? STANDARD_OUTPUT : flags['output-file'];
    // The document has the lock; nothing else may be there with it.
    const isDocumentOnly = this.isJson && outputFile === STANDARD_OUTPUT;
    const { writeChartLock } = await import('../../workflows/write-chart-lock.ts');
    const { file, lock, added } = await writeChartLock(
      {
        chart: args.chart,
        outputFile,
        isDocumentOnly,
        platforms: (flags.platforms ?? []).map(parsePlatform),
        annotationsKey: flags['annotations-key'],
        search: readSearchFlags(flags),
      },
      await this.createRunContext(credential),
    );
    // With the lock itself on standard output nothing else may be there.
    if (file !== STANDARD_OUTPUT) {
      this.printSuccess(`Images.lock file written to "${file}" (${formatCount(lock.images.length, 'image')})`);
    }
    return { ...(isDocumentOnly ? {} : { file }), locks: [lock], added };
  }
}

import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { formatBytes } from '../../domain/format-quantity.ts';
import { BaseCommand } from '../base-command.ts';
import { IMAGES_DIR_FLAG } from '../images-dir-flag.ts';

export default class ImagesPullCommand extends BaseCommand<typeof ImagesPullCommand> {
  static override summary = 'Pull the images of a locked chart into OCI layouts on disk';
  static override description =
    'One layout for each platform in Images.lock, one for each index, and one for each signature or other attached artifact. What is there already is checked, and not fetched again.';
  static override args = {
    chart: Args.string({ required: true, description: 'folder or .tgz of the chart' }),
  };
  static override flags = {
    ...IMAGES_DIR_FLAG,
    'output-file': Flags.string({
      summary: 'also pack the chart with its images into this .tgz',
      helpValue: 'FILE',
    }),
    'no-referrers': Flags.boolean({ summary: 'leave signatures, attestations and other attached artifacts out' }),
    'include-non-distributable-layers': Flags.boolean({
      summary: 'take layers along that images only point to, if their licence lets you',
    }),
  };
  static override examples = [
    '<%= config.bin %> <%= command.id %> ./contour',
    '<%= config.bin %> <%= command.id %> ./contour --images-dir /mnt/images --output-file contour-images.tgz',
  ];

  protected override async execute(): Promise<object> {
    const { flags, args } = this;
    const { pullImages } = await import('../../workflows/pull-images.ts');
    const result = await pullImages(
      {
        chart: args.chart,
        imagesFolder: flags['images-dir'],
        outputFile: flags['output-file'],
        skipAttached: flags['no-referrers'],
        includeNonDistributable: flags['include-non-distributable-layers'],
      },
      await this.createRunContext(),
    );
    this.printSuccess(`All images pulled into "${result.imagesFolder}"`);
    if (result.file !== undefined) {
      this.printSuccess(`Chart and images packed into "${result.file}" (${formatBytes(result.sizeBytes ?? 0)})`);
    }
    const { chart, ...rest } = result;
    return { charts: [chart], ...rest };
  }
}

import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../base-command.ts';
import { IMAGES_DIR_FLAG } from '../images-dir-flag.ts';

export default class ImagesPushCommand extends BaseCommand<typeof ImagesPushCommand> {
  static override summary = 'Push the pulled images of a chart to the references of its Images.lock';
  static override description =
    'Relocate the chart first (charts relocate), or the images go back to where they came from. Layouts of the Go dt are read as well. Does not ask.';
  static override args = {
    chart: Args.string({ required: true, description: 'folder or .tgz of the chart' }),
  };
  static override flags = {
    ...IMAGES_DIR_FLAG,
    'no-referrers': Flags.boolean({ summary: 'do not push signatures, attestations and other attached artifacts' }),
  };
  static override examples = [
    '<%= config.bin %> <%= command.id %> ./contour',
    '<%= config.bin %> <%= command.id %> ./contour --images-dir /mnt/images',
  ];

  protected override async execute(): Promise<object> {
    const { flags, args } = this;
    const { pushPulledImages } = await import('../../workflows/push-images.ts');
    const result = await pushPulledImages(
      { chart: args.chart, imagesFolder: flags['images-dir'], skipAttached: flags['no-referrers'] },
      await this.createRunContext(),
    );
    for (const { target, digest } of result.images) this.printSuccess(`${target} is ${digest}`);
    const { chart, ...rest } = result;
    return { charts: [chart], ...rest };
  }
}

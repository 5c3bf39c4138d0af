import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { formatCount } from '../../domain/format-quantity.ts';
import { BaseCommand } from '../base-command.ts';
import { readSearchFlags, SEARCH_FLAGS } from '../search-flags.ts';

export default class ImagesVerifyCommand extends BaseCommand<typeof ImagesVerifyCommand> {
  static override summary = 'Compare the Images.lock of a chart with its images in their registries';
  static override description =
    'Every digest of the lock has to be the one that the registry has for that image and platform now. What only the registry has is no difference.';
  static override args = {
    chart: Args.string({ required: true, description: 'folder or .tgz of the chart' }),
  };
  static override flags = {
    'imagelock-file': Flags.string({
      summary: 'lock file to verify (default: Images.lock in the chart folder)',
      helpValue: 'FILE',
    }),
    ...SEARCH_FLAGS,
  };
  static override examples = [
    '<%= config.bin %> <%= command.id %> ./contour',
    '<%= config.bin %> <%= command.id %> ./contour --imagelock-file site.lock',
  ];

  protected override async execute(): Promise<object> {
    const { flags, args } = this;
    const { verifyLocalLock } = await import('../../workflows/verify-chart-lock.ts');
    const result = await verifyLocalLock(
      {
        chart: args.chart,
        lockFile: flags['imagelock-file'],
        annotationsKey: flags['annotations-key'],
        search: readSearchFlags(flags),
      },
      await this.createRunContext(),
    );
    this.printSuccess(
      `Helm chart "${result.chart.name}" lock is valid (${formatCount(result.lock.images.length, 'image')})`,
    );
    const { chart, file, lock } = result;
    return { charts: [chart], file, locks: [lock] };
  }
}

import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { formatCount } from '../../domain/format-quantity.ts';
import { parsePlatform } from '../../domain/oci/platform.ts';
import { BaseCommand } from '../base-command.ts';
import { PLATFORMS_FLAG } from '../platforms-flag.ts';
import { readSearchFlags, SEARCH_FLAGS } from '../search-flags.ts';

const NO_EFFECT = 'no effect; taken for the sake of old scripts';

export default class ChartsCarvelizeCommand extends BaseCommand<typeof ChartsCarvelizeCommand> {
  static override summary = 'Make a chart folder a Carvel bundle, to be pushed and copied by imgpkg';
  static override description =
    'Writes .imgpkg/images.yml and .imgpkg/bundle.yml into the folder. The Images.lock that it has is verified first; without one it is made and written, too.';
  static override args = {
    chart: Args.string({ required: true, description: 'folder of the chart' }),
  };
  static override flags = {
    platforms: PLATFORMS_FLAG,
    ...SEARCH_FLAGS,
    detailed: Flags.boolean({ summary: NO_EFFECT }),
    yaml: Flags.boolean({ summary: NO_EFFECT }),
  };
  static override examples = ['<%= config.bin %> <%= command.id %> ./contour'];

  protected override async execute(): Promise<object> {
    const { flags, args } = this;
    const { carvelizeChart } = await import('../../workflows/carvelize-chart.ts');
    const result = await carvelizeChart(
      {
        chart: args.chart,
        platforms: (flags.platforms ?? []).map(parsePlatform),
        annotationsKey: flags['annotations-key'],
        search: readSearchFlags(flags),
      },
      await this.createRunContext(),
    );
    const { chart, lock, files } = result;
    this.printSuccess(
      `Carvel bundle of Helm chart ${chart.name} ${chart.version} written (${formatCount(lock.images.length, 'image')})`,
    );
    return { charts: [chart], files, locks: [lock] };
  }
}

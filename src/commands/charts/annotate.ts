import * as Args from '@oclif/core/args';
import { formatCount } from '../../domain/format-quantity.ts';
import { BaseCommand } from '../base-command.ts';
import { LIKELY_FLAGS, readLikelyFlags } from '../search-flags.ts';

export default class ChartsAnnotateCommand extends BaseCommand<typeof ChartsAnnotateCommand> {
  static override summary = 'Write the images of a chart into an annotation of its Chart.yaml';
  static override description =
    'What is declared stays as it is; what the rendering runs beside it is added. Comments and everything else in the file stay. ' +
    'The chart is rendered by your own Helm ($HELM_BIN, or helm on PATH), offline.';
  static override args = {
    chart: Args.string({ required: true, description: 'folder or .tgz of the chart' }),
  };
  static override flags = { ...LIKELY_FLAGS };
  static override examples = [
    '<%= config.bin %> <%= command.id %> ./contour',
    '<%= config.bin %> <%= command.id %> ./contour -f site.yaml --annotations-key artifacthub.io/images',
  ];

  protected override async execute(): Promise<object> {
    const { flags, args } = this;
    const { annotateChart } = await import('../../workflows/annotate-chart.ts');
    const result = await annotateChart(
      { chart: args.chart, annotationsKey: flags['annotations-key'], search: readLikelyFlags(flags) },
      await this.createRunContext(),
    );
    const what = `"${result.annotation}" of ${result.chart.name} ${result.chart.version}`;
    if (result.isChanged)
      this.printSuccess(`Annotation ${what} written (${formatCount(result.images.length, 'image')})`);
    else this.printSuccess(`Annotation ${what} left as it is (${formatCount(result.images.length, 'image')})`);
    const { chart, annotation, images, isChanged } = result;
    return {
      charts: [chart],
      annotation,
      images: images.map(({ image, name }) => ({ reference: image, name })),
      written: isChanged,
    };
  }
}

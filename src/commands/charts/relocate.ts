import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { formatRelocationReport } from '../../output/relocation-report.ts';
import { BaseCommand } from '../base-command.ts';
import { readRelocationFlags, readRewriteFlags, REWRITE_FLAGS } from '../relocation-flags.ts';
import { RENDER_FLAGS, readRenderFlags } from '../render-flags.ts';

export default class ChartsRelocateCommand extends BaseCommand<typeof ChartsRelocateCommand> {
  static override summary = 'Rewrite a chart to use the images of another registry, and prove it';
  static override description =
    'Changes image references in values files, annotations, locks and templates, and nothing else: your own Helm ($HELM_BIN, or helm on PATH) ' +
    'renders the chart before and after, offline. What cannot be moved is named with its place. Without Helm the result is unproven.';
  static override args = {
    chart: Args.string({ required: true, description: 'chart folder or .tgz, changed in place' }),
    prefix: Args.string({ required: true, description: 'registry and path, for instance registry.internal/mirror' }),
  };
  static override flags = {
    check: Flags.boolean({ summary: 'change nothing; show what would be changed, and the proof' }),
    'skip-relocation': Flags.boolean({ summary: 'the same as --check' }),
    ...REWRITE_FLAGS,
    ...RENDER_FLAGS,
  };
  static override examples = [
    '<%= config.bin %> <%= command.id %> ./contour registry.internal/mirror --check',
    '<%= config.bin %> <%= command.id %> contour-19.3.2.tgz registry.internal/mirror -f site.yaml',
  ];

  protected override async execute(): Promise<object> {
    const { flags, args } = this;
    const { relocateLocalChart } = await import('../../workflows/relocate-local-chart.ts');
    const result = await relocateLocalChart(
      {
        path: args.chart,
        prefix: args.prefix,
        ...readRelocationFlags(flags),
        ...readRewriteFlags(flags),
        annotationsKey: flags['annotations-key'],
        render: readRenderFlags(flags),
        isCheck: flags.check || flags['skip-relocation'],
      },
      await this.createRunContext(),
    );
    this.printResult(formatRelocationReport(result));
    if (result.isWritten) this.printSuccess(`Helm chart ${result.chart.name} relocated`);
    const { chart, isWritten, ...rest } = result;
    return { charts: [chart], ...rest, written: isWritten };
  }
}

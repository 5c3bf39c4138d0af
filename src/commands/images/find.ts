import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { formatCount } from '../../domain/format-quantity.ts';
import { formatFoundImages } from '../../output/found-images.ts';
import { BaseCommand } from '../base-command.ts';
import { chartCredentialRegistry, CREDENTIAL_FLAGS, readCredentialFlags } from '../credential-flags.ts';
import { FEATURE_FLAGS, readRenderFlags } from '../render-flags.ts';

export default class ImagesFindCommand extends BaseCommand<typeof ImagesFindCommand> {
  static override summary = 'Find the images of a chart, and why each is one';
  static override description =
    'declared: the chart says so; rendered: it runs by the given values; likely: it looks like one, in a variable, an argument or a text; ' +
    'dormant: it belongs to a feature that is off. The registries of likely images are asked whether they have them. The chart is rendered by your own Helm ($HELM_BIN, or helm on PATH), offline.';
  static override args = {
    chart: Args.string({ required: true, description: 'folder, .tgz, oci://… or repository chart' }),
  };
  static override flags = {
    version: Flags.string({
      summary: 'version, or semver range, of a chart from a registry or repository',
      helpValue: 'VERSION',
    }),
    repo: Flags.string({ summary: 'URL of a chart repository', helpValue: 'URL' }),
    'no-check': Flags.boolean({
      summary:
        'do not ask registries whether they have the likely images: a chart may put your values into names that look like images',
    }),
    ...FEATURE_FLAGS,
    ...CREDENTIAL_FLAGS,
  };
  static override examples = [
    '<%= config.bin %> <%= command.id %> ./contour',
    '<%= config.bin %> <%= command.id %> ./contour -f site.yaml --set contour.enabled=true --json',
  ];

  protected override async execute(): Promise<object> {
    const { flags, args, reporter } = this;
    const credential = await readCredentialFlags(
      flags,
      () => chartCredentialRegistry(args.chart, flags.repo),
      this.credentialInput,
    );
    const { findChartImages } = await import('../../workflows/find-chart-images.ts');
    const result = await findChartImages(
      {
        source: { location: args.chart, version: flags.version, repositoryUrl: flags.repo },
        ...readRenderFlags(flags),
        allVariants: flags['all-variants'],
        checksLikely: !flags['no-check'],
        annotationsKey: flags['annotations-key'],
      },
      await this.createRunContext(credential),
    );
    for (const message of result.warnings) reporter.warn(message);
    this.printResult(formatFoundImages(result.images));
    this.printSuccess(
      `${formatCount(result.images.length, 'image')} found in ${result.chart.name} ${result.chart.version}`,
    );
    const { chart, images, rendering, renderCount } = result;
    return { charts: [chart], images, rendering, renderCount };
  }
}

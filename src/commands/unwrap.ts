import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { formatUnwrapPlan } from '../output/unwrap-plan.ts';
import { DtError } from '../domain/errors.ts';
import { BaseCommand } from './base-command.ts';
import { CHART_NAME_FLAG } from './chart-name-flag.ts';
import type { ChartMode } from '../workflows/unwrapping/chart-plan.ts';
import { prefixCredentialRegistry, readCredentialFlags } from './credential-flags.ts';
import { PUSH_FLAGS, readPushFlags, requireAnswers } from './push-flags.ts';
import { PLUGIN_FLAGS, readPluginFlags } from './plugin-flags.ts';
import { readRelocationFlags, readRewriteFlags, REWRITE_FLAGS } from './relocation-flags.ts';
import { readRenderFlags, RENDER_FLAGS } from './render-flags.ts';
import { readWrapInput, WRAP_INPUT_DESCRIPTION, WRAP_INPUT_FLAGS } from './wrap-input-flags.ts';

const CHART_MODES: readonly ChartMode[] = ['rewrite', 'keep', 'overlay'];

export default class UnwrapCommand extends BaseCommand<typeof UnwrapCommand> {
  static override summary = 'Push the images and the relocated chart of a wrap to a registry';
  static override description =
    'Images go under the prefix, by default with the last two parts of their repository; the chart is rewritten to use them and pushed last. ' +
    'What the registry has already is not sent again.';
  static override args = {
    file: Args.string({ required: true, description: WRAP_INPUT_DESCRIPTION }),
    prefix: Args.string({
      required: true,
      description: 'registry and path, for instance oci://registry.internal/mirror',
    }),
  };
  static override flags = {
    ...WRAP_INPUT_FLAGS,
    ...PUSH_FLAGS,
    ...REWRITE_FLAGS,
    ...RENDER_FLAGS,
    ...CHART_NAME_FLAG,
    'chart-mode': Flags.option({ options: CHART_MODES })({
      summary: 'what becomes of the chart',
      description:
        'rewrite: it is changed to use the registry; keep: it stays as it came, with its digest, provenance and signatures; ' +
        'overlay: it stays, and a values file that makes it use the registry is written and pushed as its referrer. Default: rewrite.',
    }),
    'preserve-digest': Flags.boolean({ summary: 'the same as --chart-mode keep' }),
    'push-chart-url': Flags.string({ summary: 'another place for the chart', helpValue: 'URL' }),
    'skip-pull-images': Flags.boolean({ summary: 'push the chart only' }),
    'skip-image-relocation': Flags.boolean({
      summary: 'push the chart only, and as it came: its images are left where they are',
    }),
    ...PLUGIN_FLAGS,
    plan: Flags.boolean({
      summary: 'push nothing; show the repositories and tags that would be written, and how many bytes would be sent',
    }),
  };
  static override examples = [
    '<%= config.bin %> <%= command.id %> contour-19.3.2.wrap.tgz oci://registry.internal/mirror --yes',
    '<%= config.bin %> <%= command.id %> contour-19.3.2.wrap.tgz oci://registry.internal/mirror --plan',
    '<%= config.bin %> <%= command.id %> contour-19.3.2.wrap.tgz oci://registry.internal/mirror --chart-mode overlay',
    '<%= config.bin %> <%= command.id %> contour-19.3.2.wrap.tgz oci://registry.internal/mirror --with-plugin=dt-1.2.3-linux-x64.tgz',
    '<%= config.bin %> <%= command.id %> contour-19.3.2.wrap.tgz oci://registry.internal/mirror --naming with-host --max-depth 4',
    '<%= config.bin %> <%= command.id %> app-1.0.0.wrap.tgz registry.internal:5000/apps --push-chart-url registry.internal:5000/charts',
  ];

  protected override async execute(): Promise<object> {
    const { flags, args } = this;
    requireAnswers({ ...flags, yes: flags.yes || flags.plan }, args.file);
    const skipImages = this.#skipsImages();
    const withPlugin = readPluginFlags(flags);
    const credential = await readCredentialFlags(
      flags,
      () => prefixCredentialRegistry(args.prefix),
      this.credentialInput,
    );
    const source = {
      ...readWrapInput(args.file, flags, this.context),
      prefix: args.prefix,
      pushChartUrl: flags['push-chart-url'],
      ...readRewriteFlags(flags),
      annotationsKey: flags['annotations-key'],
      render: readRenderFlags(flags),
      skipImages,
      chartNames: flags.chart ?? [],
      chartMode: readChartMode(flags),
      ...readPushFlags(flags),
      ...readRelocationFlags(flags),
    };
    if (flags.plan) {
      if (withPlugin !== undefined) throw new DtError('DT_USAGE', '--with-plugin cannot be used with --plan');
      const { planUnwrap } = await import('../workflows/plan-unwrap.ts');
      const plan = await planUnwrap(source, await this.createRunContext(credential));
      this.printResult(formatUnwrapPlan(plan));
      return plan;
    }
    const { unwrapWithPlugin } = await import('../workflows/unwrap-with-plugin.ts');
    const result = await unwrapWithPlugin({ ...source, withPlugin }, await this.createRunContext(credential));
    if (result.pushed) {
      const isOne = result.charts.length === 1;
      this.printSuccess(`Helm ${isOne ? 'chart' : 'charts'} unwrapped. Install ${isOne ? 'it' : 'them'} with:`);
      for (const { installCommand = '' } of result.charts) this.printResult(`    ${installCommand}`);
      if (result.plugin !== undefined) this.printResult(`    ${result.plugin.installCommand}`);
    } else {
      this.printResult('Nothing was pushed. Answer yes, or pass --yes, to push.');
    }
    return result;
  }

  /** The images of a chart that is not relocated would go over those of its source. */
  #skipsImages(): boolean {
    const { flags } = this;
    if (flags['skip-pull-images'] || !flags['skip-image-relocation']) return flags['skip-pull-images'];
    this.reporter.warn('--skip-image-relocation pushes no image: use --chart-mode keep to push them under the prefix');
    return true;
  }
}

function readChartMode(flags: {
  readonly 'chart-mode': ChartMode | undefined;
  readonly 'preserve-digest': boolean;
  readonly 'skip-image-relocation': boolean;
}): ChartMode {
  const mode = flags['chart-mode'];
  const keeping = (['preserve-digest', 'skip-image-relocation'] as const).find((name) => flags[name]);
  if (keeping === undefined) return mode ?? 'rewrite';
  if (mode !== undefined && mode !== 'keep') {
    throw new DtError(
      'DT_USAGE',
      `--${keeping} leaves the chart as it is, and cannot be used with --chart-mode ${mode}`,
    );
  }
  return 'keep';
}

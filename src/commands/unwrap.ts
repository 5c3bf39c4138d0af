import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { formatUnwrapPlan } from '../output/unwrap-plan.ts';
import { DtError } from '../domain/errors.ts';
import { BaseCommand } from './base-command.ts';
import { CREDENTIAL_FLAGS, prefixCredentialRegistry, readCredentialFlags } from './credential-flags.ts';

export default class UnwrapCommand extends BaseCommand<typeof UnwrapCommand> {
  static override summary = 'Push the images and the relocated chart of a wrap to a registry';
  static override description =
    'Images go under the prefix with the last two parts of their repository; the chart is rewritten to use them and pushed last. ' +
    'What the registry has already is not sent again.';
  static override args = {
    file: Args.string({ required: true, description: 'wrap file' }),
    prefix: Args.string({
      required: true,
      description: 'registry and path, for instance oci://registry.internal/mirror',
    }),
  };
  static override flags = {
    yes: Flags.boolean({ summary: 'push without asking' }),
    ...CREDENTIAL_FLAGS,
    'push-chart-url': Flags.string({ summary: 'another place for the chart', helpValue: 'URL' }),
    values: Flags.string({
      summary: 'values files inside the chart to relocate (default: values.yaml)',
      helpValue: 'FILE',
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
    }),
    'skip-pull-images': Flags.boolean({ summary: 'push the chart only' }),
    'no-overwrite': Flags.boolean({
      summary: 'fail, before anything is pushed, if a tag has another digest in the target',
    }),
    'skip-preflight': Flags.boolean({ summary: 'do not try first whether the registry lets us push' }),
    plan: Flags.boolean({
      summary: 'push nothing; show the repositories and tags that would be written, and how many bytes would be sent',
    }),
  };
  static override examples = [
    '<%= config.bin %> <%= command.id %> contour-19.3.2.wrap.tgz oci://registry.internal/mirror --yes',
    '<%= config.bin %> <%= command.id %> contour-19.3.2.wrap.tgz oci://registry.internal/mirror --plan',
    '<%= config.bin %> <%= command.id %> app-1.0.0.wrap.tgz registry.internal:5000/apps --push-chart-url registry.internal:5000/charts',
  ];

  protected override async execute(): Promise<object> {
    const { flags, args } = this;
    if (flags['password-stdin'] && !flags.yes && !flags.plan) {
      throw new DtError('DT_USAGE', '--password-stdin needs --yes: standard input cannot answer questions as well');
    }
    const credential = await readCredentialFlags(
      flags,
      () => prefixCredentialRegistry(args.prefix),
      this.credentialInput,
    );
    const source = {
      file: args.file,
      prefix: args.prefix,
      pushChartUrl: flags['push-chart-url'],
      valuesFiles: flags.values ?? ['values.yaml'],
      annotationsKey: flags['annotations-key'],
      skipImages: flags['skip-pull-images'],
    };
    if (flags.plan) {
      const { planUnwrap } = await import('../workflows/plan-unwrap.ts');
      const plan = await planUnwrap(source, await this.createRunContext(credential));
      this.printResult(formatUnwrapPlan(plan));
      return plan;
    }
    const { unwrapChart } = await import('../workflows/unwrap-chart.ts');
    const result = await unwrapChart(
      {
        ...source,
        assumeYes: flags.yes,
        noOverwrite: flags['no-overwrite'],
        skipPreflight: flags['skip-preflight'],
      },
      await this.createRunContext(credential),
    );
    if (result.pushed) {
      this.printSuccess(`Helm chart unwrapped. Install it with:`);
      this.printResult(`    ${result.installCommand ?? ''}`);
    } else {
      this.printResult('Nothing was pushed. Answer yes, or pass --yes, to push.');
    }
    return result;
  }
}

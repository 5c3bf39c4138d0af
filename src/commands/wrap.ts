import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { DtError } from '../domain/errors.ts';
import type { ChartSource } from '../workflows/charts/fetch-chart.ts';
import { BaseCommand } from './base-command.ts';
import { chartCredentialRegistry, commonRegistry, readCredentialFlags } from './credential-flags.ts';
import { describeOutput } from './describe-output.ts';
import { readSearchFlags, SEARCH_FLAGS } from './search-flags.ts';
import { findStandardOutput } from './standard-output.ts';
import { readWrapFlags, WRAP_FLAGS } from './wrap-flags.ts';

export default class WrapCommand extends BaseCommand<typeof WrapCommand> {
  static override summary = 'Make one file of a Helm chart and all its container images';
  static override description =
    'The chart may be a folder, a .tgz, oci://HOST/PATH[:VERSION], ALIAS/NAME of a repository that Helm knows, or a NAME with --repo. ' +
    'An interrupted wrap goes on where it stopped when the command is run again.';
  static override args = {
    chart: Args.string({
      required: true,
      multiple: true,
      description: 'folder, .tgz, oci://… or repository chart; several make one file (--output-file)',
    }),
  };
  static override flags = {
    version: Flags.string({
      summary: 'version, or semver range, of a chart from a registry or repository',
      helpValue: 'VERSION',
    }),
    repo: Flags.string({ summary: 'URL of a chart repository', helpValue: 'URL' }),
    'output-file': Flags.string({
      char: 'o',
      summary: 'file to write, or - for standard output (default: NAME-VERSION.wrap.tgz)',
      helpValue: 'FILE',
    }),
    ...WRAP_FLAGS,
    ...SEARCH_FLAGS,
    'skip-pull-images': Flags.boolean({ summary: 'wrap the chart and its lock without the images' }),
    'add-carvel-bundle': Flags.boolean({ summary: 'put .imgpkg/ into the chart of the wrap, for imgpkg' }),
    'allow-empty': Flags.boolean({ summary: 'wrap a chart in which no image is found' }),
  };
  static override examples = [
    '<%= config.bin %> <%= command.id %> ./contour',
    '<%= config.bin %> <%= command.id %> oci://registry.example.com/charts/contour --version 19.3.2',
    '<%= config.bin %> <%= command.id %> contour --repo https://charts.example.com --platforms linux/amd64,linux/arm64',
    '<%= config.bin %> <%= command.id %> ./contour ./redis --output-file platform.wrap.tgz',
    '<%= config.bin %> <%= command.id %> ./contour --output-file - | ssh site dt unwrap - oci://registry.internal/mirror --yes',
  ];

  protected override async execute(): Promise<object> {
    const { flags, args } = this;
    const [first, ...others] = args.chart;
    if (first === undefined) throw new DtError('DT_USAGE', 'missing argument CHART');
    const credential = await readCredentialFlags(
      flags,
      () => commonRegistry(args.chart.map((location) => chartCredentialRegistry(location, flags.repo))),
      this.credentialInput,
    );
    const stream = findStandardOutput(flags, this.context.stdout);
    const toSource = (location: string): ChartSource => ({
      location,
      version: flags.version,
      repositoryUrl: flags.repo,
    });
    const { wrapCharts } = await import('../workflows/wrap-charts.ts');
    const result = await wrapCharts(
      {
        sources: [toSource(first), ...others.map(toSource)],
        outputFile: flags['output-file'],
        stream,
        ...readWrapFlags(flags),
        annotationsKey: flags['annotations-key'],
        search: readSearchFlags(flags),
        skipImages: flags['skip-pull-images'],
        allowEmpty: flags['allow-empty'],
        addsCarvelBundle: flags['add-carvel-bundle'],
      },
      await this.createRunContext(credential),
    );
    const what = others.length === 0 ? 'Helm chart' : `${String(args.chart.length)} Helm charts`;
    if (stream !== undefined) this.reporter.info(`${what} wrapped to standard output (${describeOutput(result)})`);
    else this.printSuccess(`${what} wrapped into "${result.file}" (${describeOutput(result)})`);
    return result;
  }
}

import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { parsePlatform } from '../domain/oci/platform.ts';
import { formatBytes } from '../domain/format-quantity.ts';
import { BaseCommand } from './base-command.ts';
import { chartCredentialRegistry, CREDENTIAL_FLAGS, readCredentialFlags } from './credential-flags.ts';
import { PLATFORMS_FLAG } from './platforms-flag.ts';

export default class WrapCommand extends BaseCommand<typeof WrapCommand> {
  static override summary = 'Make one file of a Helm chart and all its container images';
  static override description =
    'The chart may be a folder, a .tgz, oci://HOST/PATH[:VERSION], ALIAS/NAME of a repository that Helm knows, or a NAME with --repo. ' +
    'An interrupted wrap goes on where it stopped when the command is run again.';
  static override args = {
    chart: Args.string({ required: true, description: 'folder, .tgz, oci://… or repository chart' }),
  };
  static override flags = {
    version: Flags.string({
      summary: 'version, or semver range, of a chart from a registry or repository',
      helpValue: 'VERSION',
    }),
    repo: Flags.string({ summary: 'URL of a chart repository', helpValue: 'URL' }),
    'output-file': Flags.string({ summary: 'file to write (default: NAME-VERSION.wrap.tgz)', helpValue: 'FILE' }),
    platforms: PLATFORMS_FLAG,
    ...CREDENTIAL_FLAGS,
    'skip-pull-images': Flags.boolean({ summary: 'wrap the chart and its lock without the images' }),
    'allow-empty': Flags.boolean({ summary: 'wrap a chart in which no image is found' }),
    compat: Flags.boolean({ summary: 'store copies of shared layers, for the Go dt' }),
    'skip-preflight': Flags.boolean({
      summary: 'do not look first whether the output can be written and has enough space',
    }),
  };
  static override examples = [
    '<%= config.bin %> <%= command.id %> ./contour',
    '<%= config.bin %> <%= command.id %> oci://registry.example.com/charts/contour --version 19.3.2',
    '<%= config.bin %> <%= command.id %> contour --repo https://charts.example.com --platforms linux/amd64',
  ];

  protected override async execute(): Promise<object> {
    const { flags, args } = this;
    const credential = await readCredentialFlags(
      flags,
      () => chartCredentialRegistry(args.chart, flags.repo),
      this.credentialInput,
    );
    const { wrapChart } = await import('../workflows/wrap-chart.ts');
    const result = await wrapChart(
      {
        source: { location: args.chart, version: flags.version, repositoryUrl: flags.repo },
        outputFile: flags['output-file'],
        platforms: (flags.platforms ?? []).map(parsePlatform),
        annotationsKey: flags['annotations-key'],
        skipImages: flags['skip-pull-images'],
        allowEmpty: flags['allow-empty'],
        isCompatible: flags.compat,
        skipPreflight: flags['skip-preflight'],
      },
      await this.createRunContext(credential),
    );
    this.printSuccess(`Helm chart wrapped into "${result.file}" (${formatBytes(result.sizeBytes)})`);
    return result;
  }
}

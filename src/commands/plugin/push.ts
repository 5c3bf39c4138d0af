import * as Args from '@oclif/core/args';
import { ARTIFACT_FLAGS, ARTIFACT_TARGET, readArtifactCredential, readArtifactFlags } from '../artifact-flags.ts';
import { BaseCommand } from '../base-command.ts';

export default class PluginPushCommand extends BaseCommand<typeof PluginPushCommand> {
  static override summary = 'Put a package of this plugin into a registry, from which Helm 4 installs it';
  static override description =
    'The name of the plugin is put behind the path; the tag is the version, with the platform if the file name has one, unless one is given. ' +
    'The provenance file beside the package (FILE.prov) goes along. Packages of other Helm plugins can be pushed as well.';
  static override args = {
    package: Args.string({ required: true, description: 'package: dt-X.Y.Z-PLATFORM.tgz' }),
    target: ARTIFACT_TARGET,
  };
  static override flags = ARTIFACT_FLAGS;
  static override examples = [
    '<%= config.bin %> <%= command.id %> dt-1.2.3-linux-x64.tgz oci://registry.internal/tools',
    '<%= config.bin %> <%= command.id %> dt-1.2.3-linux-x64.tgz oci://registry.internal/tools:1.2.3',
  ];

  protected override async execute(): Promise<object> {
    const { flags, args } = this;
    const credential = await readArtifactCredential(args.target, flags, this.credentialInput);
    const { pushPlugin } = await import('../../workflows/push-plugin.ts');
    const result = await pushPlugin(
      { file: args.package, target: args.target, ...readArtifactFlags(flags) },
      await this.createRunContext(credential),
    );
    this.printSuccess(`"${result.file}" ${result.isPresent ? 'is' : 'pushed to'} ${result.reference}`);
    this.printResult(`    ${result.installCommand}`);
    return result;
  }
}

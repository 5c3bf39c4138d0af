import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { splitArtifactTarget } from '../../domain/relocation/artifact-place.ts';
import { BaseCommand } from '../base-command.ts';
import { CREDENTIAL_FLAGS, prefixCredentialRegistry, readCredentialFlags } from '../credential-flags.ts';

export default class PluginPushCommand extends BaseCommand<typeof PluginPushCommand> {
  static override summary = 'Put a package of this plugin into a registry, from which Helm 4 installs it';
  static override description =
    'The name of the plugin is put behind the path; the tag is the version, with the platform if the file name has one, unless one is given. ' +
    'The provenance file beside the package (FILE.prov) goes along. Packages of other Helm plugins can be pushed as well.';
  static override args = {
    package: Args.string({ required: true, description: 'package: dt-X.Y.Z-PLATFORM.tgz' }),
    target: Args.string({ required: true, description: 'oci://HOST[/PATH][:TAG]' }),
  };
  static override flags = {
    ...CREDENTIAL_FLAGS,
    'no-overwrite': Flags.boolean({ summary: 'fail if the tag has another digest' }),
    'skip-preflight': Flags.boolean({ summary: 'do not try first whether the registry lets us push' }),
  };
  static override examples = [
    '<%= config.bin %> <%= command.id %> dt-1.2.3-linux-x64.tgz oci://registry.internal/tools',
    '<%= config.bin %> <%= command.id %> dt-1.2.3-linux-x64.tgz oci://registry.internal/tools:1.2.3',
  ];

  protected override async execute(): Promise<object> {
    const { flags, args } = this;
    const credential = await readCredentialFlags(
      flags,
      () => prefixCredentialRegistry(splitArtifactTarget(args.target).prefix),
      this.credentialInput,
    );
    const { pushPlugin } = await import('../../workflows/push-plugin.ts');
    const result = await pushPlugin(
      {
        file: args.package,
        target: args.target,
        noOverwrite: flags['no-overwrite'],
        skipPreflight: flags['skip-preflight'],
      },
      await this.createRunContext(credential),
    );
    this.printSuccess(`"${result.file}" ${result.isPresent ? 'is' : 'pushed to'} ${result.reference}`);
    this.printResult(`    ${result.installCommand}`);
    return result;
  }
}

import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { splitArtifactTarget } from '../domain/relocation/artifact-place.ts';
import { BaseCommand } from './base-command.ts';
import { CREDENTIAL_FLAGS, prefixCredentialRegistry, readCredentialFlags } from './credential-flags.ts';

export default class PushWrapCommand extends BaseCommand<typeof PushWrapCommand> {
  static override summary = 'Put a wrap into a registry, from which it can be unwrapped';
  static override description =
    'As with "helm push", the name of the chart is put behind the path, and its version is the tag unless one is given. ' +
    'A signature beside the wrap (WRAP.sigstore.json) goes along. What the registry has already is not sent again.';
  static override args = {
    file: Args.string({ required: true, description: 'wrap file' }),
    target: Args.string({ required: true, description: 'oci://HOST[/PATH][:TAG]' }),
  };
  static override flags = {
    ...CREDENTIAL_FLAGS,
    'no-overwrite': Flags.boolean({ summary: 'fail if the tag has another digest' }),
    'skip-preflight': Flags.boolean({ summary: 'do not try first whether the registry lets us push' }),
  };
  static override examples = [
    '<%= config.bin %> <%= command.id %> contour-19.3.2.wrap.tgz oci://registry.example.com/wraps',
    '<%= config.bin %> <%= command.id %> platform.wrap.tgz oci://registry.example.com/wraps:2026-11',
  ];

  protected override async execute(): Promise<object> {
    const { flags, args } = this;
    const credential = await readCredentialFlags(
      flags,
      () => prefixCredentialRegistry(splitArtifactTarget(args.target).prefix),
      this.credentialInput,
    );
    const { pushWrap } = await import('../workflows/push-wrap.ts');
    const result = await pushWrap(
      {
        file: args.file,
        target: args.target,
        noOverwrite: flags['no-overwrite'],
        skipPreflight: flags['skip-preflight'],
      },
      await this.createRunContext(credential),
    );
    this.printSuccess(`"${result.file}" ${result.isPresent ? 'is' : 'pushed to'} ${result.reference}`);
    const command = result.kind === 'chart' ? 'unwrap' : 'images unwrap';
    this.printResult(`    ${this.config.bin} ${command} oci://${result.reference} …`);
    return result;
  }
}

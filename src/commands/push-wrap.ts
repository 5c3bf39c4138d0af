import * as Args from '@oclif/core/args';
import { ARTIFACT_FLAGS, ARTIFACT_TARGET, readArtifactCredential, readArtifactFlags } from './artifact-flags.ts';
import { BaseCommand } from './base-command.ts';

export default class PushWrapCommand extends BaseCommand<typeof PushWrapCommand> {
  static override summary = 'Put a wrap into a registry, from which it can be unwrapped';
  static override description =
    'As with "helm push", the name of the chart is put behind the path, and its version is the tag unless one is given. ' +
    'A signature beside the wrap (WRAP.sigstore.json) goes along. What the registry has already is not sent again.';
  static override args = {
    file: Args.string({ required: true, description: 'wrap file' }),
    target: ARTIFACT_TARGET,
  };
  static override flags = ARTIFACT_FLAGS;
  static override examples = [
    '<%= config.bin %> <%= command.id %> contour-19.3.2.wrap.tgz oci://registry.example.com/wraps',
    '<%= config.bin %> <%= command.id %> platform.wrap.tgz oci://registry.example.com/wraps:2026-11',
  ];

  protected override async execute(): Promise<object> {
    const { flags, args } = this;
    const credential = await readArtifactCredential(args.target, flags, this.credentialInput);
    const { pushWrap } = await import('../workflows/push-wrap.ts');
    const result = await pushWrap(
      { file: args.file, target: args.target, ...readArtifactFlags(flags) },
      await this.createRunContext(credential),
    );
    this.printSuccess(`"${result.file}" ${result.isPresent ? 'is' : 'pushed to'} ${result.reference}`);
    const command = result.kind === 'chart' ? 'unwrap' : 'images unwrap';
    this.printResult(`    ${this.config.bin} ${command} oci://${result.reference} …`);
    return result;
  }
}

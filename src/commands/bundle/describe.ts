import * as Flags from '@oclif/core/flags';
import { formatDescriptionText, formatDescriptionYaml } from '../../domain/carvel/described-bundle.ts';
import { toSafeText } from '../../output/line-format.ts';
import { formatJson } from '../../output/sanitize-text.ts';
import { BaseCommand } from '../base-command.ts';
import { readRegistryFlags, REGISTRY_FLAGS } from '../registry-flags.ts';
import { listRegistries } from './source-flags.ts';

export default class BundleDescribeCommand extends BaseCommand<typeof BundleDescribeCommand> {
  static override summary = 'Show what a Carvel bundle holds: images, bundles, signatures, and where they are';
  static override flags = {
    bundle: Flags.string({ char: 'b', summary: 'bundle', helpValue: 'IMAGE', required: true }),
    'output-type': Flags.string({
      char: 'o',
      summary: 'form of the output',
      options: ['text', 'yaml', 'json'],
      default: 'text',
    }),
    layers: Flags.boolean({ summary: 'list the layers', default: true, allowNo: true }),
    'cosign-artifacts': Flags.boolean({
      summary: 'list signatures and other attached artifacts',
      default: true,
      allowNo: true,
    }),
    ...REGISTRY_FLAGS,
  };
  static override examples = [
    '<%= config.bin %> <%= command.id %> -b registry.example.com/guestbook-bundle:1.0 -o yaml',
  ];

  protected override async execute(): Promise<object> {
    const { flags } = this;
    const { bundle } = flags;
    const overrides = readRegistryFlags(flags, this.context.environment.variables, () => listRegistries(bundle));
    const { describeBundle } = await import('../../workflows/describe-bundle.ts');
    const described = await describeBundle(
      { bundle, withLayers: flags.layers, withAttached: flags['cosign-artifacts'] },
      await this.createRunContext(overrides.credential, overrides),
    );
    const type = flags['output-type'];
    if (type === 'json') this.printResult(formatJson(described));
    else {
      const text = (type === 'yaml' ? formatDescriptionYaml : formatDescriptionText)(described);
      this.printResult(text.trimEnd().split('\n').map(toSafeText).join('\n'));
    }
    return described;
  }
}

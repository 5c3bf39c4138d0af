import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { STANDARD_STREAM } from '../domain/standard-stream.ts';
import { BaseCommand } from './base-command.ts';
import { CREDENTIAL_FLAGS, prefixCredentialRegistry, readCredentialFlags } from './credential-flags.ts';

export default class InventoryCommand extends BaseCommand<typeof InventoryCommand> {
  static override summary = 'List what a registry holds, to make wraps of the rest elsewhere';
  static override description =
    'Carry the file to where wraps are made: "wrap --base" leaves out what the registry has. Everything that has a tag is listed.';
  static override args = {
    place: Args.string({
      required: true,
      description: 'registry and path, for instance oci://registry.internal/mirror',
    }),
  };
  static override flags = {
    'output-file': Flags.string({ summary: 'file to write (default: standard output)', helpValue: 'FILE' }),
    repository: Flags.string({
      summary:
        'name of a repository below the path, for registries that do not list theirs; can be given several times',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
    }),
    ...CREDENTIAL_FLAGS,
  };
  static override examples = [
    '<%= config.bin %> <%= command.id %> oci://registry.internal/mirror --output-file inventory.json',
    '<%= config.bin %> <%= command.id %> oci://registry.internal/mirror --repository team/api --repository team/web',
  ];

  protected override async execute(): Promise<object> {
    const { flags, args } = this;
    const outputFile = flags['output-file'] === STANDARD_STREAM ? undefined : flags['output-file'];
    const credential = await readCredentialFlags(
      flags,
      () => prefixCredentialRegistry(args.place),
      this.credentialInput,
    );
    const { describeCounts, inventoryRegistry } = await import('../workflows/inventory-registry.ts');
    const options = { place: args.place, repositories: flags.repository ?? [], outputFile };
    const result = await inventoryRegistry(options, await this.createRunContext(credential));
    if (outputFile === undefined) {
      this.printResult(result.text.trimEnd());
      return result.inventory;
    }
    this.printSuccess(`Inventory written to "${outputFile}" (${describeCounts(result)})`);
    const { inventory, tagCount, blobCount, blobBytes } = result;
    return {
      file: outputFile,
      registry: inventory.registry,
      repositoryCount: inventory.repositories.length,
      tagCount,
      blobCount,
      blobBytes,
    };
  }
}

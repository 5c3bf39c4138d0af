import { PRODUCT_NAME, PRODUCT_VERSION } from '../domain/product.ts';
import { BaseCommand } from './base-command.ts';

export default class VersionCommand extends BaseCommand<typeof VersionCommand> {
  static override summary = 'Print the version';
  static override examples = ['<%= config.bin %> version'];

  protected override execute(): Promise<object> {
    this.printResult(`${PRODUCT_NAME}: dt ${PRODUCT_VERSION}`);
    return Promise.resolve({ name: PRODUCT_NAME, version: PRODUCT_VERSION, node: process.version });
  }
}

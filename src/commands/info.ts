import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { sanitizeLines } from '../output/sanitize-text.ts';
import { formatWrapInformation } from '../output/wrap-information.ts';
import { BaseCommand } from './base-command.ts';
import { CHART_NAME_FLAG } from './chart-name-flag.ts';

export default class InfoCommand extends BaseCommand<typeof InfoCommand> {
  static override summary = 'Show what is in a wrap';
  static override description = 'Reads the table of contents only; nothing is unpacked and no registry is asked.';
  static override args = {
    file: Args.string({ required: true, description: 'wrap file, or the folder of a locked chart' }),
  };
  static override flags = {
    detailed: Flags.boolean({ summary: 'show the digest of every platform' }),
    yaml: Flags.boolean({ summary: 'print the Images.lock of the wrap' }),
    ...CHART_NAME_FLAG,
  };
  static override examples = [
    '<%= config.bin %> <%= command.id %> contour-19.3.2.wrap.tgz',
    '<%= config.bin %> <%= command.id %> contour-19.3.2.wrap.tgz --detailed',
    '<%= config.bin %> <%= command.id %> contour-19.3.2.wrap.tgz --yaml',
  ];

  protected override async execute(): Promise<object> {
    const { flags, args } = this;
    const { inspectWrap } = await import('../workflows/inspect-wrap.ts');
    const information = await inspectWrap(args.file, flags.chart, this.signal);
    this.printResult(
      flags.yaml
        ? sanitizeLines(information.locks.map(({ text }) => text.trimEnd()).join('\n---\n'))
        : formatWrapInformation(information, { isDetailed: flags.detailed }),
    );
    const { path, sizeBytes, locks, document } = information;
    return { file: path, sizeBytes, locks: locks.map(({ lock }) => lock), contents: document };
  }
}

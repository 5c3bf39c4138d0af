import * as Args from '@oclif/core/args';
import { formatWrapDifference } from '../output/wrap-difference.ts';
import { BaseCommand } from './base-command.ts';

export default class DiffCommand extends BaseCommand<typeof DiffCommand> {
  static override summary = 'Compare two wraps: which images and charts differ, and how much a delta would carry';
  static override description =
    'Nothing is unpacked and no registry is asked. "wrap --base OLD" makes the delta that is measured here.';
  static override args = {
    old: Args.string({ required: true, description: 'wrap file' }),
    new: Args.string({ required: true, description: 'wrap file' }),
  };
  static override examples = [
    '<%= config.bin %> <%= command.id %> contour-19.3.1.wrap.tgz contour-19.3.2.wrap.tgz',
    '<%= config.bin %> <%= command.id %> contour-19.3.1.wrap.tgz contour-19.3.2.wrap.tgz --json',
  ];

  protected override async execute(): Promise<object> {
    const { args } = this;
    const { diffWraps } = await import('../workflows/diff-wraps.ts');
    const difference = await diffWraps(args.old, args.new, await this.createRunContext());
    this.printResult(formatWrapDifference(difference));
    const { charts, images, ...rest } = difference;
    return { ...rest, chartChanges: charts, imageChanges: images };
  }
}

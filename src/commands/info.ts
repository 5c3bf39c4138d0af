import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { sanitizeLines } from '../output/sanitize-text.ts';
import { formatWrapInformation } from '../output/wrap-information.ts';
import type { WrapInformation } from '../workflows/inspect-wrap.ts';
import { listCharts, listContainedImages } from '../domain/wrap/contained-images.ts';
import { isStreamedInput } from '../domain/standard-stream.ts';
import { BaseCommand } from './base-command.ts';
import { CHART_NAME_FLAG } from './chart-name-flag.ts';
import { readWrapInput, WRAP_INPUT_DESCRIPTION, WRAP_INPUT_FLAGS } from './wrap-input-flags.ts';

export default class InfoCommand extends BaseCommand<typeof InfoCommand> {
  static override summary = 'Show what is in a wrap';
  static override description = 'Reads the table of contents only; nothing is unpacked and no registry is asked.';
  static override args = {
    file: Args.string({ required: true, description: `${WRAP_INPUT_DESCRIPTION}; or the folder of a locked chart` }),
  };
  static override flags = {
    detailed: Flags.boolean({ summary: 'show the digest of every platform' }),
    yaml: Flags.boolean({ summary: 'print the Images.lock of the wrap' }),
    ...WRAP_INPUT_FLAGS,
    ...CHART_NAME_FLAG,
  };
  static override examples = [
    '<%= config.bin %> <%= command.id %> contour-19.3.2.wrap.tgz',
    '<%= config.bin %> <%= command.id %> contour-19.3.2.wrap.tgz --detailed',
    '<%= config.bin %> <%= command.id %> contour-19.3.2.wrap.tgz --yaml',
  ];

  protected override async execute(): Promise<object> {
    const { flags } = this;
    const information = await this.#inspect();
    this.printResult(
      flags.yaml
        ? sanitizeLines(information.locks.map(({ text }) => text.trimEnd()).join('\n---\n'))
        : formatWrapInformation(information, { isDetailed: flags.detailed }),
    );
    return describeInformation(information);
  }

  /** The HTTP client is loaded for a wrap in a registry only. */
  async #inspect(): Promise<WrapInformation> {
    const { flags, args } = this;
    const input = readWrapInput(args.file, flags, this.context);
    if (isStreamedInput(args.file)) {
      const { inspectStream } = await import('../workflows/inspect-stream.ts');
      return inspectStream(input, flags.chart ?? [], await this.createRunContext());
    }
    const { inspectWrap } = await import('../workflows/inspect-wrap.ts');
    return inspectWrap(args.file, flags.chart, this.signal);
  }
}

/** The document of `--json`: the same lists for every kind of wrap, then the lock and what only our own wraps tell. */
function describeInformation({ path, sizeBytes, locks: wrappedLocks, document }: WrapInformation): object {
  const locks = wrappedLocks.map(({ lock }) => lock);
  return {
    file: path,
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
    charts: listCharts(locks),
    images: listContainedImages(locks, document),
    locks,
    ...(document === undefined ? {} : { contents: document }),
  };
}

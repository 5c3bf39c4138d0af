import * as Flags from '@oclif/core/flags';

/** For commands that take a wrap of several charts. */
export const CHART_NAME_FLAG = {
  chart: Flags.string({
    summary: 'only these charts, of a wrap of several',
    helpValue: 'NAME',
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ',',
  }),
};

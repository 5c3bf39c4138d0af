import * as Flags from '@oclif/core/flags';

/** `--platforms`, for every command that locks images. */
export const PLATFORMS_FLAG = Flags.string({
  summary: 'only these platforms, for instance linux/amd64,linux/arm64',
  helpValue: 'OS/ARCH',
  multiple: true,
  multipleNonGreedy: true,
  delimiter: ',',
});

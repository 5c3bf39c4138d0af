import type { ErrorCode } from './errors.ts';

const CHECK_WRAP = '{bin} verify WRAP names all that is wrong with a wrap';
const WRAP_AGAIN = 'copy the wrap again, or make it again: {bin} wrap CHART';
const ASK_AGAIN = 'what a registry sent may be right the next time: run the same command again';
const LOGIN = '{bin} auth login HOST';

/** What to try after an error that does not know better itself; `{bin}` stands for `helm dt` or `dt`. */
const DEFAULT_HINTS: Readonly<Partial<Record<ErrorCode, readonly string[]>>> = {
  DT_BAD_REFERENCE: ['a reference is HOST/PATH:TAG, without a scheme; {bin} images find CHART shows those of a chart'],
  DT_BAD_PREFIX: ['{bin} unwrap WRAP registry.example.com/path'],
  DT_BAD_PLATFORM: ['--platforms linux/amd64,linux/arm64'],
  DT_FILE_NOT_FOUND: ['ls shows whether the name is right; paths count from the working directory'],
  DT_FILE_UNREADABLE: ['ls -l shows who may read it'],
  DT_OUTPUT_FAILED: ['ls -ld shows whether the folder is there and who may write to it'],
  DT_DISK_FULL: ['df -h shows where there is space'],
  DT_CHART_INVALID: ['helm lint CHART'],
  DT_ANNOTATION_INVALID: ['{bin} charts annotate --help tells what the annotation lists'],
  DT_YAML_INVALID: ['helm lint CHART'],
  DT_CHART_VERSION_NOT_FOUND: ['name a version that there is: --version VERSION'],
  DT_PLATFORM_NOT_FOUND: ['name platforms that the image has: --platforms OS/ARCH'],
  DT_PLUGIN_INVALID: ['tar -tzf FILE shows what is in it; helm plugin package makes one'],
  DT_LOCK_INVALID: ['{bin} images lock CHART makes a new lock'],
  DT_LOCK_MISMATCH: ['{bin} images lock CHART makes a new lock'],
  DT_DIGEST_MISMATCH: [CHECK_WRAP, ASK_AGAIN],
  DT_SIZE_MISMATCH: [CHECK_WRAP, ASK_AGAIN],
  DT_WRAP_INVALID: [CHECK_WRAP, WRAP_AGAIN],
  DT_WRAP_TRUNCATED: [CHECK_WRAP, WRAP_AGAIN],
  DT_WRAP_INCOMPLETE: [CHECK_WRAP, WRAP_AGAIN],
  DT_WRAP_UNSUPPORTED: ['install a newer version; {bin} version shows the one that runs here'],
  DT_UNSAFE_ENTRY: ['tar -tvzf FILE shows the entry'],
  DT_AUTH_REQUIRED: [LOGIN],
  DT_AUTH_DENIED: [LOGIN],
  DT_NOT_FOUND: ['{bin} auth check REFERENCE tells whether you may read there: some registries hide what you may not'],
};

/** What to try after an error of this code; empty where nothing helps in general. */
export function defaultHints(code: ErrorCode): readonly string[] {
  return DEFAULT_HINTS[code] ?? [];
}

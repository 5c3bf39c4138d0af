import * as Flags from '@oclif/core/flags';

const helpGroup = 'GLOBAL';

/** Flags that every command has. List flags must be `multipleNonGreedy`, or they swallow the arguments behind them. */
export const GLOBAL_FLAGS = {
  'annotations-key': Flags.string({
    helpGroup,
    summary:
      'annotation of Chart.yaml that lists the images (default: images, helm.sh/images and artifacthub.io/images)',
    helpValue: 'KEY',
  }),
  insecure: Flags.boolean({
    helpGroup,
    summary: 'accept any certificate and plain HTTP; --insecure=HOST for one registry only',
  }),
  'insecure-host': Flags.string({ helpGroup, hidden: true, multiple: true, multipleNonGreedy: true, delimiter: ',' }),
  'use-plain-http': Flags.boolean({
    helpGroup,
    summary: 'talk plain HTTP to registries; --use-plain-http=HOST for one registry only',
  }),
  'plain-http-host': Flags.string({ helpGroup, hidden: true, multiple: true, multipleNonGreedy: true, delimiter: ',' }),
  'ca-file': Flags.string({
    helpGroup,
    summary: 'certificates of an authority to trust beside those of the system (PEM); may be repeated',
    helpValue: 'FILE',
    multiple: true,
    multipleNonGreedy: true,
  }),
  concurrency: Flags.integer({
    helpGroup,
    summary: 'requests and blobs on their way at the same time (default: 8)',
    helpValue: 'N',
    min: 1,
    max: 64,
  }),
  retries: Flags.integer({
    helpGroup,
    summary: 'how often a request that failed for the moment is tried again (default: 5)',
    helpValue: 'N',
    min: 0,
    max: 100,
  }),
  'idle-timeout': Flags.integer({
    helpGroup,
    summary: 'give up a connection on which nothing moves for so many seconds (default: 60)',
    helpValue: 'SECONDS',
    min: 1,
    max: 3600,
  }),
  'keep-artifacts': Flags.boolean({
    helpGroup,
    summary: 'no effect: nothing is unpacked to temporary folders; taken for the sake of old scripts',
  }),
  'log-level': Flags.string({
    helpGroup,
    summary: 'how much to tell: debug, info, warn or error',
    helpValue: 'LEVEL',
    default: 'info',
  }),
  plain: Flags.boolean({ helpGroup, summary: 'print plain lines, without spinners' }),
  quiet: Flags.boolean({
    helpGroup,
    char: 'q',
    summary: 'print warnings, errors and what was asked for, nothing else',
  }),
  json: Flags.boolean({ helpGroup, summary: 'print the result as one JSON document' }),
  // Helm takes these two away before it starts a plugin; they exist for the program started without Helm.
  debug: Flags.boolean({ helpGroup, hidden: true, summary: 'same as --log-level debug' }),
  'registry-config': Flags.string({
    helpGroup,
    hidden: true,
    helpValue: 'FILE',
    summary: "Helm's registry credentials",
  }),
};

/** The boolean global flags that also take a host, with the flag that the host goes to. */
export const PER_HOST_FLAGS: Readonly<Record<string, string>> = {
  insecure: 'insecure-host',
  'use-plain-http': 'plain-http-host',
};

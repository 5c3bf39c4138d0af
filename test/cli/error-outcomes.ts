/** What we make of lines of the table in formats/cli.md. */
interface Outcome {
  readonly code: string;
  readonly exit: 1 | 2 | 3 | 4 | 5;
  /** What the user is told to do next. */
  readonly hint: RegExp;
  /**
   * The lines, each with a command that gets there. `SOURCE`, `TARGET` and `CLOSED` stand for registries, `GOLDEN` for a folder with
   * wraps of the Go tool, `EMPTY` for no text.
   */
  readonly commands: readonly (readonly [situation: string, command: string])[];
}

const HELP = /dt .*--help/;
const FILE = /ls shows/;
const VERIFY = /dt verify WRAP/;
const LOCK = /dt images lock CHART/;
const AGAIN = /dt wrap|made again|copy .* again/;
const LOGIN = /dt auth login 127\.0\.0\.1:\d+/;

export const OUTCOMES: readonly Outcome[] = [
  { code: 'DT_USAGE', exit: 2, hint: /dt wrap|--help/, commands: [['unknown command', 'wrp']] },
  { code: 'DT_USAGE', exit: 2, hint: /dt images/, commands: [['unknown subcommand', 'images lokc']] },
  {
    code: 'DT_USAGE',
    exit: 2,
    hint: HELP,
    commands: [
      ['wrong number of arguments', 'unwrap w.tgz'],
      ['too many arguments', 'info a b'],
      ['unknown flag', 'info a --detialed'],
      ['flag without value', 'wrap good --output-file'],
    ],
  },
  {
    code: 'DT_FILE_NOT_FOUND',
    exit: 1,
    hint: FILE,
    commands: [
      ['chart folder missing', 'wrap nowhere'],
      ['chart folder missing', 'images lock nowhere'],
      ['chart folder missing', 'charts carvelize nowhere'],
      ['wrap file missing: info', 'info no.tgz'],
      ['wrap file missing: unwrap', 'unwrap no.tgz TARGET/m --yes'],
      ['wrap file missing: images unwrap', 'images unwrap no.tgz TARGET/m --yes'],
    ],
  },
  {
    code: 'DT_CHART_INVALID',
    exit: 1,
    hint: /helm lint/,
    commands: [
      ['no Chart.yaml', 'wrap empty'],
      ['chart archive that is no gzip', 'wrap text.tgz'],
      ['gzip tar without chart: unwrap', 'unwrap GOLDEN/nochart.tgz TARGET/m --yes'],
    ],
  },
  {
    code: 'DT_WRAP_INVALID',
    exit: 3,
    hint: VERIFY,
    commands: [
      ['not a wrap: text', 'unwrap text.tgz TARGET/m --yes'],
      ['not a wrap: text', 'info text.tgz'],
      ['not a wrap: plain tar', 'unwrap GOLDEN/plain.tar TARGET/m --yes'],
      ['not a wrap: gzip of something else', 'unwrap GOLDEN/junk.tgz TARGET/m --yes'],
      ['gzip tar without Images.lock: info', 'info chart.tgz'],
      ['Images.lock missing in a wrap: unwrap', 'unwrap GOLDEN/nolock.tgz TARGET/m --yes'],
    ],
  },
  {
    code: 'DT_PLUGIN_INVALID',
    exit: 1,
    hint: /tar -tzf FILE/,
    commands: [
      ['no package of a plugin: text', 'plugin push text.tgz TARGET/tools'],
      ['no package of a plugin: a chart', 'plugin push chart.tgz TARGET/tools'],
      ['no package of a plugin: with unwrap', 'unwrap w.tgz TARGET/m --yes --with-plugin=chart.tgz'],
    ],
  },
  {
    code: 'DT_WRAP_TRUNCATED',
    exit: 3,
    hint: AGAIN,
    commands: [
      ['truncated wrap: unwrap', 'unwrap cut.tgz TARGET/m --yes'],
      ['truncated wrap: info', 'info cut.tgz'],
      ['truncated wrap of the Go tool', 'unwrap GOLDEN/truncated.tgz TARGET/m --yes'],
    ],
  },
  {
    code: 'DT_UNSAFE_ENTRY',
    exit: 3,
    hint: /tar -tv/,
    commands: [['link in a wrap', 'unwrap GOLDEN/symlink.tgz TARGET/m --yes']],
  },
  {
    code: 'DT_DIGEST_MISMATCH',
    exit: 3,
    hint: VERIFY,
    commands: [['damaged layer in a wrap', 'unwrap GOLDEN/badblob.tgz TARGET/m --yes']],
  },
  {
    code: 'DT_WRAP_INCOMPLETE',
    exit: 3,
    hint: VERIFY,
    commands: [
      ['layer missing in a wrap', 'unwrap GOLDEN/missingblob.tgz TARGET/m --yes'],
      ['layout missing in a wrap', 'unwrap GOLDEN/noimages.tgz TARGET/m --yes'],
    ],
  },
  {
    code: 'DT_FILE_NOT_FOUND',
    exit: 1,
    hint: /dt images lock good/,
    commands: [
      ['Images.lock missing: images verify', 'images verify good'],
      ['Images.lock missing: images pull', 'images pull good'],
      ['Images.lock missing: images push', 'images push good'],
    ],
  },
  {
    code: 'DT_LOCK_INVALID',
    exit: 3,
    hint: LOCK,
    commands: [
      ['Images.lock not YAML', 'wrap bad-lock'],
      ['Images.lock not YAML', 'info bad-lock'],
      ['Images.lock not YAML: in a wrap', 'unwrap GOLDEN/lockyaml.tgz TARGET/m --yes'],
    ],
  },
  { code: 'DT_LOCK_MISMATCH', exit: 3, hint: LOCK, commands: [['lock does not verify', 'wrap wrong-lock']] },
  {
    code: 'DT_BAD_REFERENCE',
    exit: 2,
    hint: /dt images find/,
    commands: [['bad reference in the annotation', 'images lock bad-reference']],
  },
  {
    code: 'DT_ANNOTATION_INVALID',
    exit: 1,
    hint: /dt charts annotate/,
    commands: [['annotation that is not a list', 'images lock no-list']],
  },
  {
    code: 'DT_NOT_FOUND',
    exit: 5,
    hint: /dt auth check/,
    commands: [
      ['image not found', 'images lock gone'],
      ['chart not in the registry', 'wrap oci://SOURCE/charts/none:1.0.0'],
    ],
  },
  {
    code: 'DT_AUTH_REQUIRED',
    exit: 4,
    hint: LOGIN,
    commands: [
      ['not authorised: lock', 'images lock closed'],
      ['not authorised: wrap', 'wrap closed'],
      ['not authorised: push', 'unwrap w.tgz CLOSED/m --yes'],
      ['not authorised: chart', 'wrap oci://CLOSED/charts/good:1.0.0'],
    ],
  },
  {
    code: 'DT_REGISTRY_UNREACHABLE',
    exit: 5,
    hint: /right host and port/,
    commands: [
      ['registry not reachable', 'images lock dead --retries 0'],
      ['registry not reachable: target', 'unwrap w.tgz 127.0.0.1:9/m --yes --retries 0'],
    ],
  },
  {
    code: 'DT_CHART_VERSION_NOT_FOUND',
    exit: 5,
    hint: /--version/,
    commands: [['version not in the registry', 'wrap oci://SOURCE/team/app --version 9.9.9']],
  },
  {
    code: 'DT_PLATFORM_NOT_FOUND',
    exit: 1,
    hint: /--platforms/,
    commands: [['no platform left', 'images lock good --platforms linux/s390x']],
  },
  {
    code: 'DT_OUTPUT_FAILED',
    exit: 1,
    hint: /ls -ld/,
    commands: [
      ['output cannot be written: lock', 'images lock good --output-file no/such/folder'],
      ['output cannot be written: wrap', 'wrap good --output-file text.tgz/w.tgz'],
    ],
  },
  { code: 'DT_BAD_PREFIX', exit: 2, hint: /dt unwrap WRAP/, commands: [['empty PREFIX', 'unwrap w.tgz EMPTY --yes']] },
  { code: 'DT_USAGE', exit: 2, hint: /dt auth login/, commands: [['auth login without user', 'auth login TARGET']] },
  {
    code: 'DT_BAD_PREFIX',
    exit: 2,
    hint: /dt auth login/,
    commands: [['REGISTRY that is no host', 'auth login https:// -u x -p y']],
  },
];

const MASK = '***';

/** Query parameters of registries that carry no secret. Every other one is masked: signed URLs use too many names to list. */
const HARMLESS_PARAMETERS: ReadonlySet<string> = new Set([
  'account',
  'artifacttype',
  'digest',
  'from',
  'last',
  'mount',
  'n',
  'offset',
  'scope',
  'service',
  'tag',
]);

// Every pattern starts at a fixed text and stops at the first character outside its class, so that a scan stays linear.
const URL_TAIL = /:\/\/[^\s"'<>`]+/g;
const USERINFO = /^:\/\/[^/?#]*@/;
const WORD = /[^\s"'<>`]+/g;
/**
 * A digest of any algorithm, which follows an `@` like a host. Of an algorithm that is not registered it must be so long that it is no
 * port. https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests
 */
const DIGEST = /^(?:[a-z0-9]+(?:[+._-][a-z0-9]+)*:[\w=-]{32,}|(?:sha256|sha384|sha512|blake3):[\w=-]+(?![\w=/-]))/;
const QUERY_PARAMETER = /([?&])([^=&#]+)=([^&#]*)/g;
const RELATIVE_SECRET_PARAMETER =
  /([?&](?:_state|sig|signature|token|[a-z_-]{1,32}(?:token|signature|credential|secret|password))=)[^&\s"'<>]*/gi;
const SECRET_HEADER =
  /\b((?:proxy-)?authorization|(?:set-)?cookie|x-registry-auth)(["']?\s{0,4}[:=]\s{0,4}["']?)(?:(basic|bearer|negotiate)\s{1,4})?[^\s"',]+/gi;
const SCHEME_AND_VALUE = /\b(basic|bearer)\s{1,4}(?=[^\s"',]*[\d=])[\w+/.~=-]{8,}(?![\w"])/gi;
const SECRET_FIELD = /("(?:(?:access|refresh|id|identity)?_?token|password|secret|auth)"\s{0,4}:\s{0,4}")[^"]*"/gi;

/**
 * The text with everything masked that could let a reader in: user and password of URLs and in front of hosts, values of query parameters,
 * `Authorization` and cookie values, tokens and passwords of JSON bodies. Names stay, so that the text remains useful.
 */
export function redactSecrets(text: string): string {
  return text
    .replace(URL_TAIL, redactUrlTail)
    .replace(WORD, redactBareUserinfo)
    .replace(RELATIVE_SECRET_PARAMETER, `$1${MASK}`)
    .replace(SECRET_HEADER, (_match, name: string, separator: string, scheme: string | undefined) =>
      scheme === undefined ? `${name}${separator}${MASK}` : `${name}${separator}${scheme} ${MASK}`,
    )
    .replace(SCHEME_AND_VALUE, `$1 ${MASK}`)
    .replace(SECRET_FIELD, `$1${MASK}"`);
}

function redactUrlTail(tail: string): string {
  return tail
    .replace(USERINFO, `://${MASK}@`)
    .replace(QUERY_PARAMETER, (match, separator: string, name: string) =>
      HARMLESS_PARAMETERS.has(name.toLowerCase()) ? match : `${separator}${name}=${MASK}`,
    );
}

/** Masks `USER:PASSWORD@` in front of a host without a scheme. What comes after a scheme is `redactUrlTail`'s. */
function redactBareUserinfo(word: string): string {
  const schemeEnd = word.indexOf('://');
  let at = word.lastIndexOf('@', schemeEnd === -1 ? undefined : schemeEnd);
  while (at > 0 && DIGEST.test(word.slice(at + 1))) at = word.lastIndexOf('@', at - 1);
  const colon = word.indexOf(':');
  return colon === -1 || colon >= at ? word : MASK + word.slice(at);
}

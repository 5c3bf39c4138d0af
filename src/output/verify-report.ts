import { formatBytes, formatCount, formatDuration } from '../domain/format-quantity.ts';
import type { VerifyWrapResult } from '../workflows/verify-wrap.ts';
import { formatItem, formatLine, SYMBOLS } from './line-format.ts';

const MS_PER_SECOND = 1000;

type Signature = VerifyWrapResult['signatures'][number];

/** The report of `verify` for people, of a wrap that was found good. */
export function formatVerifyReport(result: VerifyWrapResult): string {
  const { kind, charts, images, isLight, sizeBytes, blobCount, blobBytes, omitted, durationMs, signatures } = result;
  const speed = durationMs === 0 ? '' : `, ${formatBytes((sizeBytes * MS_PER_SECOND) / durationMs)}/s`;
  const own = signatures.find(({ image }) => image === undefined);
  return [
    formatLine(0, SYMBOLS.section, kind === 'container' ? 'Wrap of single images' : 'Wrap of charts'),
    ...charts.map(({ name, version }) => formatItem(1, `Chart: ${name} ${version}`)),
    formatItem(1, `Content: ${formatCount(blobCount, 'blob')}, ${formatBytes(blobBytes)}`),
    ...(omitted === undefined
      ? []
      : [
          formatItem(
            1,
            `Needs a base: ${formatCount(omitted.blobCount, 'blob')}, ${formatBytes(omitted.blobBytes)} (${omitted.bases.join(', ')})`,
          ),
        ]),
    formatItem(1, `Checked: ${formatBytes(sizeBytes)} in ${formatDuration(durationMs)}${speed}`),
    formatItem(1, `Signature of the wrap: ${own === undefined ? 'none' : describeSignature(own)}`),
    formatLine(1, SYMBOLS.section, isLight ? 'Images (named only: their content is not in the wrap)' : 'Images'),
    ...images.flatMap((image) => formatImage(image, signatures)),
  ].join('\n');
}

function formatImage(
  { reference, platforms }: VerifyWrapResult['images'][number],
  signatures: readonly Signature[],
): string[] {
  const own = signatures.filter(({ image }) => image === reference);
  const texts = [...new Set(own.map(describeSignature))];
  return [
    formatItem(2, `${reference} (${platforms.map(({ platform }) => platform).join(', ')})`),
    ...texts.map((text) => formatItem(3, `- ${text}`)),
  ];
}

function describeSignature({ kind, status, signer, reason, predicateType }: Signature): string {
  const what = kind ?? 'signature or attestation';
  const type = kind === 'attestation' && predicateType !== undefined ? ` ${predicateType}` : '';
  if (status === 'valid') return `${what}${type} by ${describeSigner(signer)}`;
  return status === 'invalid' ? `${what}, does not count: ${reason ?? ''}` : `${what}, not checked`;
}

function describeSigner(signer: Signature['signer']): string {
  if (signer === undefined) return 'nobody';
  return signer.kind === 'key'
    ? `the key ${signer.fingerprint}`
    : `${signer.identity} (${signer.issuer ?? 'no issuer'})`;
}

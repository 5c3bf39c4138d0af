import type { DiscoveryReason } from './discovered-image.ts';
import type { ImageOrigin } from './image-origin.ts';

/** Why an image is taken for one of the chart, in a few words: the place where it comes from, else where it was seen. */
export function describeReason(reason: DiscoveryReason): string {
  switch (reason.kind) {
    case 'annotation':
      return `annotation ${reason.key} of ${reason.chart}`;
    case 'lock':
      return reason.file;
    case 'values':
      return `${reason.file}:${String(reason.line)} ${reason.path}`;
    case 'rendering':
    case 'feature': {
      const [origin] = reason.origins;
      const place = `${reason.object} ${reason.path}`;
      return origin === undefined ? `${reason.template} ${place}` : `${describeOrigin(origin)} → ${place}`;
    }
  }
}

function describeOrigin({ file, line, path }: ImageOrigin): string {
  return [`${file}:${String(line)}`, path].filter((part) => part !== '').join(' ');
}

import type { DiscoveryReason } from './discovered-image.ts';
import { describePlace } from '../relocation/relocation-change.ts';

/** Why an image is taken for one of the chart, in a few words: the place where it comes from, else where it was seen. */
export function describeReason(reason: DiscoveryReason): string {
  switch (reason.kind) {
    case 'annotation':
      return `annotation ${reason.key} of ${reason.chart}`;
    case 'lock':
      return reason.file;
    case 'values':
      return describePlace(reason);
    case 'rendering':
    case 'feature': {
      const [origin] = reason.origins;
      const place = `${reason.object} ${reason.path}`;
      return origin === undefined ? `${reason.template} ${place}` : `${describePlace(origin)} → ${place}`;
    }
  }
}

import { listGoldenCases } from '../support/golden.ts';
import { CONTAINER_DEFECTS } from './container-defects.ts';
import { RELOCATION_DEFECTS } from './relocation-defects.ts';
import { CARVELIZE_DEFECTS } from './replay-carvelize.ts';
import type { Replay } from './replay-frame.ts';
import { USAGE_DEFECTS } from './replay-usage.ts';
import { UNWRAP_DEFECTS } from './unwrap-defects.ts';
import { WRAP_DEFECTS } from './wrap-defects.ts';

const DEFECTS = {
  ...WRAP_DEFECTS,
  ...UNWRAP_DEFECTS,
  ...CONTAINER_DEFECTS,
  ...CARVELIZE_DEFECTS,
  ...RELOCATION_DEFECTS,
  ...USAGE_DEFECTS,
};

/** What the peer gets wrong, each asserted as its `defect.wanted` says. */
export function replayDefectCases(replay: Replay): void {
  for (const path of listGoldenCases('defects')) {
    const check = DEFECTS[path];
    if (check !== undefined) replay(path, check);
  }
}

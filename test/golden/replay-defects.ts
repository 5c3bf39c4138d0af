import { listGoldenCases } from '../support/golden.ts';
import { CONTAINER_DEFECTS } from './container-defects.ts';
import type { Replay } from './replay-frame.ts';
import { UNWRAP_DEFECTS } from './unwrap-defects.ts';
import { WRAP_DEFECTS } from './wrap-defects.ts';

/** Groups of recorded defects that belong to auth, container wraps, lock, wrap, info and unwrap. */
const DEFECT_GROUP = /^defects\/(?:auth|images-unwrap|wrap|lock|info|unwrap|subchart)-/;

export function listDefectCases(): string[] {
  return listGoldenCases('defects').filter((path) => DEFECT_GROUP.test(path));
}

/** What the peer gets wrong, each asserted as its `defect.wanted` says. */
export function replayDefectCases(replay: Replay): void {
  for (const path of listDefectCases()) {
    const check = WRAP_DEFECTS[path] ?? UNWRAP_DEFECTS[path] ?? CONTAINER_DEFECTS[path];
    if (check !== undefined) replay(path, check);
  }
}

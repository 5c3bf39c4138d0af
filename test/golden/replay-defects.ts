import { listGoldenCases } from '../support/golden.ts';
import { checkLater } from './defect-checks.ts';
import type { Replay } from './replay-frame.ts';
import { UNWRAP_DEFECTS } from './unwrap-defects.ts';
import { WRAP_DEFECTS } from './wrap-defects.ts';

/** Groups of recorded defects that belong to auth, lock, wrap, info and unwrap. */
const DEFECT_GROUP = /^defects\/(?:auth|wrap|lock|info|unwrap|subchart)-/;

/** Defects of commands and flags that do not exist yet: they are asserted where those come. */
const LATER_DEFECTS: Readonly<Record<string, string>> = {
  'defects/wrap-container-digest-file-name': 'images wrap does not exist yet',
  'defects/wrap-container-untagged-with-port': 'images wrap does not exist yet',
  'defects/unwrap-chart-metadata-not-pushed': 'artifacts are neither wrapped nor pushed yet; unwrap warns',
  'defects/unwrap-signature-does-not-verify': 'artifacts are neither wrapped nor pushed yet; unwrap warns',
};

export function listDefectCases(): string[] {
  return listGoldenCases('defects').filter((path) => DEFECT_GROUP.test(path));
}

/** What the peer gets wrong, each asserted as its `defect.wanted` says. */
export function replayDefectCases(replay: Replay): void {
  for (const path of listDefectCases()) {
    const check = WRAP_DEFECTS[path] ?? UNWRAP_DEFECTS[path];
    if (check !== undefined) replay(path, check);
    else if (LATER_DEFECTS[path] !== undefined) replay(path, checkLater);
  }
}

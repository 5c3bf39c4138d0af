/**
 * The exact code of every step that fails, by its position in the case. The Go tool ends with 1 always; our classes are
 * 2 usage, 3 verification, 4 authentication, 5 registry or network, 1 anything else.
 */
export const EXIT_CODES: Readonly<Record<string, Readonly<Record<number, number>>>> = {
  'dt-container/wrap-errors': { 0: 5, 1: 2, 2: 1 },
  'dt-lock/dependencies-all-missing': { 0: 1 },
  'dt-lock/error-bad-reference': { 0: 2 },
  'dt-lock/error-image-not-found': { 0: 5 },
  'dt-lock/error-two-images': { 0: 5 },
  'dt-lock/error-unauthorized': { 0: 4 },
  'dt-relocate/errors': { 0: 1, 1: 2, 2: 1, 3: 2, 4: 2 },
  'dt-relocate/prefix-forms': { 5: 2 },
  'dt-relocate/skip-relocation': { 0: 2 },
  'dt-info/errors': { 0: 1, 1: 3, 2: 3, 3: 3, 4: 3 },
  'dt-wrap/errors': { 0: 1, 1: 5, 2: 5, 3: 1, 4: 1, 5: 1, 6: 1 },
  'dt-wrap/lock-does-not-verify': { 0: 3 },
  'dt-wrap/no-images': { 0: 1 },
  'dt-wrap/remote-versions': { 4: 5, 5: 5, 6: 1 },
  'dt-unwrap/errors-corrupt': { 0: 3, 1: 3, 2: 3, 3: 3, 4: 3, 5: 3, 6: 3, 7: 1, 8: 3, 9: 3, 10: 3, 11: 1 },
  'dt-unwrap/errors-registry': { 0: 4, 1: 5, 2: 2, 4: 2 },
  'dt-unwrap/skip-image-relocation-and-pull': { 0: 2 },
  'dt-unwrap/unpacked-folder': { 0: 1 },
};

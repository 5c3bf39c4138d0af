/**
 * The exact code of every step that fails. The Go tool ends with 1 always; our classes are 2 usage, 3 verification,
 * 4 authentication, 5 registry or network, 1 anything else.
 */
export const EXIT_CODES: Readonly<Record<string, Readonly<Record<number, number>>>> = {};

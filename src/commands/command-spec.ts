/** What the reading of a command line must know about a flag. */
export interface FlagSpec {
  readonly name: string;
  readonly char?: string;
  readonly isBoolean: boolean;
  /** True when `--no-NAME` exists. */
  readonly hasNegation?: boolean;
  /** The flag that takes the host of `--NAME=HOST`. */
  readonly perHostFlag?: string;
  /** The flag that takes the file of `--NAME=FILE`. */
  readonly fileFlag?: string;
}

/** What the reading of a command line must know about a command. */
export interface CommandSpec {
  /** The words of the command with blanks between them: `images lock`. */
  readonly id: string;
  /** All flags, the global ones included. */
  readonly flags: readonly FlagSpec[];
}

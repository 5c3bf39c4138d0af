import type { Config } from '@oclif/core';
import { Help } from '@oclif/core/help';

/** Prints help about a command or a group (words with `:` between them), or about the program. */
export async function showHelp(config: Config, id: string | undefined): Promise<void> {
  await new Help(config).showHelp(id === undefined ? [] : [id]);
}

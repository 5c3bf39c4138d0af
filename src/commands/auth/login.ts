import * as Args from '@oclif/core/args';
import { DtError } from '../../domain/errors.ts';
import { parseCredentialScope } from '../../domain/oci/credential-keys.ts';
import { BaseCommand } from '../base-command.ts';
import { CREDENTIAL_FLAGS, readPassword, requireUsable } from '../credential-flags.ts';

export default class AuthLoginCommand extends BaseCommand<typeof AuthLoginCommand> {
  static override summary = 'Try a user and password on a registry and keep them';
  static override description =
    "They are kept in $REGISTRY_AUTH_FILE or Docker's config.json, which Helm reads too, or in the credential helper that the file names. " +
    'What the registry refuses is not kept. HOST/PATH keeps them for the repositories below that path.';
  static override args = {
    registry: Args.string({ required: true, description: 'registry, or registry and path' }),
  };
  static override flags = CREDENTIAL_FLAGS;
  static override examples = [
    '<%= config.bin %> <%= command.id %> registry.example.com --username robot --password-stdin < password.txt',
    '<%= config.bin %> <%= command.id %> registry.example.com/team',
  ];

  protected override async execute(): Promise<object> {
    const { registry } = parseCredentialScope(this.args.registry);
    const credential = { registry, ...(await this.#readCredential(registry)) };
    const { logIn } = await import('../../workflows/log-in.ts');
    const result = await logIn(this.args.registry, credential, await this.createRunContext(credential));
    const place = result.helper === undefined ? result.file : `docker-credential-${result.helper}`;
    const scope = result.path === undefined ? registry : `${registry}/${result.path}`;
    this.printSuccess(`Logged in to ${scope} as ${result.username}; the credentials are in ${place}`);
    return result;
  }

  /** What the flags leave out is asked for, if there is a terminal to ask at. */
  async #readCredential(registry: string): Promise<{ readonly username: string; readonly password: string }> {
    const { flags } = this;
    const given = await readPassword(flags, this.credentialInput);
    const username = flags.username ?? (await this.#ask(`User name for ${registry}`, false));
    return requireUsable({ username, password: given ?? (await this.#ask(`Password of ${username}`, true)) });
  }

  async #ask(question: string, isSecret: boolean): Promise<string> {
    const { stdin, stderr } = this.context;
    if (this.flags['password-stdin'] || !stdin.isTTY || !stderr.isTTY) {
      throw new DtError('DT_USAGE', 'a login needs a user name and a password: --username and --password-stdin');
    }
    const { askTerminal } = await import('../../output/ask-terminal.ts');
    return askTerminal(question, { isSecret }, { stdin, stderr, signal: this.signal });
  }
}

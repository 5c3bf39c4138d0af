import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { formatVerifyReport } from '../output/verify-report.ts';
import { DtError } from '../domain/errors.ts';
import { isStreamedInput } from '../domain/standard-stream.ts';
import { BaseCommand } from './base-command.ts';

export default class VerifyCommand extends BaseCommand<typeof VerifyCommand> {
  static override summary = 'Prove that a wrap is complete and undamaged, and who signed it';
  static override description =
    'Reads every byte of the wrap; nothing is unpacked and nobody is asked. With --key, or with --certificate-identity and its companions, ' +
    'the wrap must be signed: itself (WRAP.sigstore.json), or every image in it. Exit code 3 means damage or no trust.';
  static override args = {
    file: Args.string({ required: true, description: 'wrap file' }),
  };
  static override flags = {
    key: Flags.string({ summary: 'public key whose signatures count, PEM as cosign writes it', helpValue: 'FILE' }),
    'certificate-identity': Flags.string({
      summary: 'name in the certificate of signatures that count',
      helpValue: 'TEXT',
    }),
    'certificate-oidc-issuer': Flags.string({ summary: 'who vouched for that name', helpValue: 'URL' }),
    'trusted-root': Flags.string({
      summary: 'trusted_root.json of the Sigstore that the certificate must lead to',
      helpValue: 'FILE',
    }),
    signature: Flags.string({ summary: 'signature of the wrap (default: WRAP.sigstore.json)', helpValue: 'FILE' }),
  };
  static override examples = [
    '<%= config.bin %> <%= command.id %> contour-19.3.2.wrap.tgz',
    '<%= config.bin %> <%= command.id %> contour-19.3.2.wrap.tgz --key cosign.pub',
    '<%= config.bin %> <%= command.id %> contour-19.3.2.wrap.tgz --json',
  ];

  protected override async execute(): Promise<object> {
    const { flags, args } = this;
    if (isStreamedInput(args.file)) {
      throw new DtError('DT_USAGE', 'verify reads a wrap several times: it needs a file', {
        hints: ['save the wrap to a file first', '{bin} unwrap checks a wrap that it reads as it comes'],
      });
    }
    const { verifyWrap } = await import('../workflows/verify-wrap.ts');
    const result = await verifyWrap(
      {
        file: args.file,
        keyFile: flags.key,
        certificateIdentity: flags['certificate-identity'],
        certificateOidcIssuer: flags['certificate-oidc-issuer'],
        trustedRootFile: flags['trusted-root'],
        signatureFile: flags.signature,
      },
      { reporter: this.reporter, signal: this.signal },
    );
    this.printResult(formatVerifyReport(result));
    this.printSuccess(`"${result.file}" is sound`);
    return result;
  }
}

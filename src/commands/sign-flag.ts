import * as Flags from '@oclif/core/flags';

/** Of the commands that write a wrap. */
export const SIGN_FLAG = Flags.string({
  summary: 'sign the file with this private key (of cosign, or PEM); its password is read from COSIGN_PASSWORD',
  helpValue: 'KEY',
});

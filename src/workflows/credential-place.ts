import { updateSecretFile } from '../files/update-file.ts';
import {
  loginFilePath,
  parseCredentialDocument,
  readCredentialFile,
  readSection,
  type Environment,
} from '../transport/auth/credential-files.ts';
import type { HelperName } from '../transport/auth/credential-helper.ts';
import { normalizeKey, storageKey, type CredentialScope } from '../domain/oci/credential-keys.ts';
import { findHelperName } from '../transport/auth/credentials.ts';

/** Docker writes its file with tabs. */
const INDENTATION = '\t';

/** Where `auth login` writes a credential, and `auth logout` removes it. */
export interface CredentialPlace {
  readonly file: string;
  readonly key: string;
  /** The program that keeps the secret instead of the file. */
  readonly helper: HelperName | undefined;
}

/** Throws DT_CONFIG_INVALID. */
export function findCredentialPlace(scope: CredentialScope, environment: Environment): CredentialPlace {
  const file = loginFilePath(environment);
  const key = storageKey(scope);
  const name = findHelperName(readCredentialFile(file), key);
  return { file, key, helper: name === undefined ? undefined : { name, file } };
}

/** Puts an entry into the `auths` of the file; all else stays. Throws DT_CONFIG_INVALID and as `updateSecretFile`. */
export async function writeAuthEntry({ file, key }: CredentialPlace, entry: object): Promise<void> {
  await updateSecretFile(file, (text) => {
    const document = parseCredentialDocument(text ?? '', file);
    const auths = withoutKey(readSection(document, 'auths', file), key);
    return formatDocument({ ...document, auths: { ...auths, [key]: entry } });
  });
}

/** Takes the entry out of the `auths` of the file, in every spelling of its key. True if there was one. */
export async function removeAuthEntry({ file, key }: CredentialPlace): Promise<boolean> {
  if (!readCredentialFile(file).auths.has(normalizeKey(key))) return false;
  await updateSecretFile(file, (text) => {
    const document = parseCredentialDocument(text ?? '', file);
    return formatDocument({ ...document, auths: withoutKey(readSection(document, 'auths', file), key) });
  });
  return true;
}

function withoutKey(auths: Readonly<Record<string, unknown>>, key: string): Record<string, unknown> {
  const name = normalizeKey(key);
  return Object.fromEntries(Object.entries(auths).filter(([other]) => normalizeKey(other) !== name));
}

function formatDocument(document: object): string {
  return `${JSON.stringify(document, undefined, INDENTATION)}\n`;
}

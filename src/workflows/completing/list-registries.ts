import { listCredentialFiles, readCredentialFile, type Environment } from '../../transport/auth/credential-files.ts';

/** The registries, and paths of them, that credentials are kept for. A file that cannot be read has none. */
export function listRegistries(environment: Environment): string[] {
  const keys = listCredentialFiles(environment).flatMap((path) => {
    try {
      const { auths, credHelpers } = readCredentialFile(path);
      return [...auths.keys(), ...credHelpers.keys()];
    } catch {
      return [];
    }
  });
  return [...new Set(keys)].toSorted();
}

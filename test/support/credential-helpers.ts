import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Writes `docker-credential-NAME` as a shell script into a folder, which is made if need be, and gives its path. */
export async function writeHelper(folder: string, name: string, script: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, `docker-credential-${name}`);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

/**
 * A helper that works: it keeps what it is given in files below `store`, a folder, named by the server. `log` in that folder
 * has one line per call.
 */
export async function writeWorkingHelper(folder: string, name: string, store: string): Promise<void> {
  await mkdir(store, { recursive: true });
  await writeHelper(
    folder,
    name,
    `cd '${store}' || exit 1
input=$(cat)
case "$1" in
  store) server=$(printf %s "$input" | sed 's/.*"ServerURL":"\\([^"]*\\)".*/\\1/') ;;
  *) server=$input ;;
esac
file=$(printf %s "$server" | tr '/:' '__')
echo "$1 $server" >> log
case "$1" in
  store) printf %s "$input" > "$file" ;;
  get) cat "$file" 2>/dev/null || { echo "credentials not found in native keychain"; exit 1; } ;;
  erase) rm -f "$file" ;;
esac`,
  );
}

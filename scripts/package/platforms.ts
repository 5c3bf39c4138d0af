/** What a package runs on. `universal` needs a Node.js on the host; the others bring it. */
export type PlatformName = 'linux-x64' | 'linux-arm64' | 'darwin-x64' | 'darwin-arm64' | 'win-x64' | 'universal';

export interface Platform {
  readonly name: PlatformName;
  /** As Helm names systems and processors. */
  readonly helm: { readonly systems: readonly ('linux' | 'darwin' | 'windows')[]; readonly processor?: string };
  /** `process.platform` and `process.arch` of a host; none for the universal package. */
  readonly host?: { readonly platform: NodeJS.Platform; readonly arch: string };
}

/** Every package that a release has, in the order in which they are built. */
export const PLATFORMS: readonly Platform[] = [
  { name: 'universal', helm: { systems: ['linux', 'darwin', 'windows'] } },
  describe('linux-x64', 'linux', 'x64'),
  describe('linux-arm64', 'linux', 'arm64'),
  describe('darwin-x64', 'darwin', 'x64'),
  describe('darwin-arm64', 'darwin', 'arm64'),
  describe('win-x64', 'win32', 'x64'),
];

export function isHost({ host }: Platform): boolean {
  return host?.platform === process.platform && host.arch === process.arch;
}

function describe(name: PlatformName, platform: 'linux' | 'darwin' | 'win32', arch: 'x64' | 'arm64'): Platform {
  return {
    name,
    helm: { systems: [platform === 'win32' ? 'windows' : platform], processor: arch === 'x64' ? 'amd64' : arch },
    host: { platform, arch },
  };
}

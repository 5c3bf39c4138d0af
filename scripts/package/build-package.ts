import { PRODUCT_VERSION } from '../../src/domain/product.ts';
import { buildExecutable } from './build-executable.ts';
import type { BundledProgram } from './bundle-program.ts';
import { fetchNode, lockedNode } from './fetch-node.ts';
import type { Platform } from './platforms.ts';
import { packPlugin, type PluginFile } from './plugin-archive.ts';
import { describeExecutableFile, listCommonFiles, listUniversalFiles } from './plugin-files.ts';
import { listPluginYaml } from './plugin-yaml.ts';
import { formatSbom } from './sbom.ts';
import { canSign } from './sign-executable.ts';
import { formatNotices, type BundledPackage } from './third-party.ts';

/** The platform whose package of Node.js says under which licences it is; that for Windows leaves it out. */
const LICENSED_PLATFORM = 'linux-x64';

export interface PackageSources {
  readonly program: BundledProgram;
  readonly packages: readonly BundledPackage[];
  readonly builtAt: Date;
}

export interface BuiltPackage {
  /** Archives by their file names. Helm 4 installs the first, Helm 3 the second, which has no folder. */
  readonly archives: ReadonlyMap<string, Buffer>;
  /** False for a package that was to have an executable and needs a Node.js on the host. */
  readonly isWhole: boolean;
}

interface ProgramFiles {
  readonly files: readonly PluginFile[];
  readonly nodeLicense: string | undefined;
}

/** Builds the package of a platform: the same sources give the same bytes. */
export async function buildPackage(platform: Platform, sources: PackageSources): Promise<BuiltPackage> {
  const executable = platform.host === undefined ? undefined : await buildExecutableFiles(platform, sources.program);
  const { files, nodeLicense } = executable ?? {
    files: await listUniversalFiles(sources.program),
    nodeLicense: undefined,
  };
  const all = [
    ...(await listCommonFiles()),
    ...files,
    ...(await listPluginYaml(platform, files)),
    { name: 'THIRD-PARTY-NOTICES', content: formatNotices(sources.packages, nodeLicense) },
    {
      name: 'sbom.cdx.json',
      content: formatSbom({
        platform: platform.name,
        packages: sources.packages,
        node: executable === undefined ? undefined : lockedNode(platform.name),
        builtAt: sources.builtAt,
      }),
    },
  ];
  const mtimeSeconds = Math.floor(sources.builtAt.getTime() / 1000);
  const name = `dt-${PRODUCT_VERSION}-${platform.name}`;
  const archives = new Map([
    [`${name}.tgz`, await packPlugin(all, { folder: 'dt', mtimeSeconds })],
    [`${name}-helm3.tgz`, await packPlugin(all, { mtimeSeconds })],
  ]);
  return { archives, isWhole: platform.host === undefined || executable !== undefined };
}

async function buildExecutableFiles(platform: Platform, program: BundledProgram): Promise<ProgramFiles | undefined> {
  if (!(await canSign(platform))) return undefined;
  const node = await fetchNode(platform.name);
  const executable = await buildExecutable(platform, program, node.binary);
  const nodeLicense = node.license ?? (await fetchNode(LICENSED_PLATFORM)).license;
  return { files: [describeExecutableFile(platform, executable)], nodeLicense };
}

import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DtError } from '../../domain/errors.ts';
import { canonicalPackageName } from '../../domain/plugin/plugin-artifact.ts';
import { PLUGIN_NAME, PRODUCT_VERSION } from '../../domain/product.ts';
import type { RunContext } from '../context.ts';

/**
 * The package that this program was installed from: Helm 4, and scripts/install.sh, keep it beside the folder of the plugin. Throws DT_USAGE
 * if there is none, which is so for a program that was installed from a folder, or that Helm 3 has fetched.
 */
export async function findInstalledPackage(environment: RunContext['environment']): Promise<string> {
  const { HELM_PLUGIN_DIR: pluginFolder, HELM_DATA_HOME: dataFolder } = environment;
  const name = canonicalPackageName({ name: PLUGIN_NAME, version: PRODUCT_VERSION });
  const places = [
    ...(isSet(pluginFolder) ? [join(dirname(pluginFolder), name)] : []),
    ...(isSet(dataFolder) ? [join(dataFolder, 'plugins', name)] : []),
  ];
  for (const place of places) if (await isFile(place)) return place;
  throw new DtError('DT_USAGE', '--with-plugin does not know the package that this program was installed from', {
    detail:
      places.length === 0
        ? 'Helm says where it lies, and this program was started without Helm.'
        : `There is no ${places.join(' and no ')}: Helm 4 keeps it when it installs an archive.`,
    hints: [`{bin} unwrap … --with-plugin=${PLUGIN_NAME}-${PRODUCT_VERSION}-PLATFORM.tgz`],
  });
}

function isSet(path: string | undefined): path is string {
  return path !== undefined && path !== '';
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
}

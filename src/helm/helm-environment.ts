import { join } from 'node:path';

/**
 * All that a rendering Helm knows of this machine: no credentials, proxies, plugins, clusters, repositories or home folder. A
 * template cannot read variables, but a plugin, a values schema or a later Helm might.
 */
export function helmEnvironment(
  folder: string,
  { PATH, SystemRoot }: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  const inside = (name: string): string => join(folder, name);
  return {
    HOME: inside('home'),
    TMPDIR: folder,
    TEMP: folder,
    TMP: folder,
    KUBECONFIG: inside('no-kubeconfig'),
    HELM_CACHE_HOME: inside('home'),
    HELM_CONFIG_HOME: inside('home'),
    HELM_DATA_HOME: inside('home'),
    HELM_PLUGINS: inside('no-plugins'),
    HELM_REGISTRY_CONFIG: inside('no-registries.json'),
    HELM_REPOSITORY_CONFIG: inside('no-repositories.yaml'),
    HELM_REPOSITORY_CACHE: inside('home'),
    // Helm may be a script of a version manager that looks for the real one.
    PATH,
    // Windows starts no program without it.
    SystemRoot,
  };
}

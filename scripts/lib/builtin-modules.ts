import { isBuiltin } from 'node:module';
import type { Plugin } from 'esbuild';

/**
 * Takes Node's own modules without their ESM facade: making that reads every getter of `node:http`, which loads all of
 * `fetch` and WebSocket for nothing (half of the time that the HTTP client takes to load). Each loads at its first use:
 * `node:crypto` alone is a quarter of the start of a command that has no use for it.
 */
export const builtinModules: Plugin = {
  name: 'builtin-modules',
  setup(bundle) {
    bundle.onResolve({ filter: /^[a-z:_/0-9]+$/ }, ({ path }) =>
      isBuiltin(path) ? { path: path.startsWith('node:') ? path : `node:${path}`, namespace: 'builtin' } : undefined,
    );
    bundle.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({ contents: describeModule(path) }));
  },
};

function describeModule(path: string): string {
  const load = `process.getBuiltinModule(${JSON.stringify(path)})`;
  const exported: unknown = process.getBuiltinModule(path);
  if (!isPlainObject(exported)) return `module.exports = ${load};`;
  const getters = Object.getOwnPropertyNames(exported).map((name) => `  get ${name}() { return load().${name}; },`);
  return ['let loaded;', `const load = () => (loaded ??= ${load});`, 'module.exports = {', ...getters, '};'].join('\n');
}

/** False for what is more than its own properties: functions, and objects with methods of a class such as `node:process`. */
function isPlainObject(exported: unknown): exported is object {
  return (
    typeof exported === 'object' &&
    exported !== null &&
    [Object.prototype, null].includes(Object.getPrototypeOf(exported) as object | null)
  );
}

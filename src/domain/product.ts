import packageJson from '../../package.json' with { type: 'json' };

/** The name that the product gives itself in files that it writes. */
export const PRODUCT_NAME = 'Distribution Tooling for Helm';

/** The version of this build, from `package.json`; the build inlines it. */
export const PRODUCT_VERSION = packageJson.version;

/** The name of the plugin, and the first word of its commands. */
export const PLUGIN_NAME = 'dt';

/** One sentence that says what the product is for. */
export const PRODUCT_DESCRIPTION = packageJson.description;

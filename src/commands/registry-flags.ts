import type { Interfaces } from '@oclif/core';
import * as Flags from '@oclif/core/flags';
import { DtError } from '../domain/errors.ts';
import type { ContextOptions } from '../workflows/create-context.ts';
import { commonRegistry, requireUsable } from './credential-flags.ts';

const helpGroup = 'REGISTRY (AS IN IMGPKG)';

/** What imgpkg calls the settings of a registry; ours, among the global flags, go along with them. */
export const REGISTRY_FLAGS = {
  'registry-ca-cert-path': Flags.string({
    helpGroup,
    summary: 'same as --ca-file; may be repeated',
    helpValue: 'FILE',
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ',',
  }),
  'registry-insecure': Flags.boolean({ helpGroup, summary: 'same as --insecure, for every registry' }),
  'registry-verify-certs': Flags.boolean({
    helpGroup,
    summary: 'check certificates; =false is the same as --insecure',
    default: true,
    allowNo: true,
  }),
  'registry-anon': Flags.boolean({ helpGroup, summary: 'use no credentials ($IMGPKG_ANON)' }),
  'registry-username': Flags.string({ helpGroup, summary: 'user name ($IMGPKG_USERNAME)', helpValue: 'NAME' }),
  'registry-password': Flags.string({
    helpGroup,
    summary: 'password ($IMGPKG_PASSWORD, which other users of this machine cannot read)',
    helpValue: 'TEXT',
  }),
  'registry-retry-count': Flags.integer({ helpGroup, summary: 'same as --retries', helpValue: 'N', min: 0, max: 100 }),
};

type Environment = Readonly<Record<string, string | undefined>>;

/** Where credentials are looked for: without these there are none. */
const CREDENTIAL_VARIABLES = [
  'REGISTRY_AUTH_FILE',
  'HELM_REGISTRY_CONFIG',
  'HELM_CONFIG_HOME',
  'DOCKER_CONFIG',
  'XDG_CONFIG_HOME',
  'XDG_RUNTIME_DIR',
];
const NO_FILE = '/dev/null';

/**
 * What these flags and the variables of imgpkg change in a run that talks to the registries given. Throws DT_USAGE for credentials
 * without a user or a password, and for credentials where there are several registries: none may see those of another.
 */
export function readRegistryFlags(
  flags: Interfaces.InferredFlags<typeof REGISTRY_FLAGS> & { readonly 'ca-file'?: readonly string[] | undefined },
  environment: Environment,
  findRegistries: () => readonly string[],
): Partial<ContextOptions> {
  const caFiles = [...(flags['ca-file'] ?? []), ...(flags['registry-ca-cert-path'] ?? [])];
  const isInsecure = flags['registry-insecure'] || !flags['registry-verify-certs'];
  const retries = flags['registry-retry-count'];
  const common = {
    caFiles,
    ...(isInsecure ? { insecure: true } : {}),
    ...(retries === undefined ? {} : { retries }),
  };
  if (flags['registry-anon'] || isTrue(environment['IMGPKG_ANON'])) {
    return { ...common, environment: withoutCredentials(environment), registryConfigPath: undefined };
  }
  if ((environment['IMGPKG_TOKEN'] ?? '') !== '') {
    throw new DtError('DT_USAGE', 'a token in $IMGPKG_TOKEN cannot be used', {
      hints: ['{bin} auth login HOST', '$IMGPKG_USERNAME and $IMGPKG_PASSWORD'],
    });
  }
  const username = flags['registry-username'] ?? environment['IMGPKG_USERNAME'] ?? '';
  const password = flags['registry-password'] ?? environment['IMGPKG_PASSWORD'] ?? '';
  if (username === '' && password === '') return common;
  return {
    ...common,
    credential: { registry: commonRegistry(findRegistries()), ...requireUsable({ username, password }) },
  };
}

function isTrue(value: string | undefined): boolean {
  return value === 'true' || value === '1';
}

function withoutCredentials(environment: Environment): Environment {
  return {
    ...environment,
    ...Object.fromEntries(CREDENTIAL_VARIABLES.map((name) => [name, undefined])),
    HELM_REGISTRY_CONFIG: NO_FILE,
    HOME: NO_FILE,
  };
}

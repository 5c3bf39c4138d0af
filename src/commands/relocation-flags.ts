import type { Interfaces } from '@oclif/core';
import * as Flags from '@oclif/core/flags';
import { VALUES_FILE_NAME } from '../domain/chart/chart-tree.ts';
import { RELOCATION_NAMINGS, type RelocationNaming } from '../domain/relocation/image-naming.ts';

/** For every command that gives images names in a target. */
export const NAMING_FLAGS = {
  naming: Flags.option({ options: RELOCATION_NAMINGS })({
    summary: 'what the images are called under the prefix',
    description:
      'For registry.k8s.io/team/sub/app: two-parts is sub/app, keep-path team/sub/app, with-host registry.k8s.io/team/sub/app, ' +
      'flatten team-sub-app, basename app.',
  }),
  'map-file': Flags.string({
    summary: 'YAML or JSON file with other names for some images',
    description:
      'A list of {from, to}; the first that matches counts. from is a registry with the beginning of a repository, or a pattern: ' +
      '* is any text within a part, ** one part or several. to is a path under the prefix, or begins with a registry; its stars ' +
      'are the last ones of from. Example: [{from: "docker.io/bitnami/*", to: "apps/*"}]',
    helpValue: 'FILE',
  }),
  'max-depth': Flags.integer({
    summary:
      'how many parts a repository may have, with those of the prefix; the first parts of longer names are joined with -',
    helpValue: 'N',
    min: 1,
  }),
};

/** For commands that write the names into a chart as well. */
export const REWRITE_FLAGS = {
  ...NAMING_FLAGS,
  'pull-prefix': Flags.string({
    summary: 'registry and path that the cluster reads the images from, if not where they are pushed to',
    helpValue: 'REGISTRY/PATH',
  }),
  values: Flags.string({
    summary: 'values files inside the chart to relocate (default: values.yaml)',
    helpValue: 'FILE',
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ',',
  }),
  'no-patch-templates': Flags.boolean({ summary: 'leave references that stand in templates, and only name them' }),
  'rewrite-dependencies': Flags.boolean({
    summary: 'let the charts that this one depends on come from the new place too, in Chart.yaml and Chart.lock',
  }),
};

/** The values of `REWRITE_FLAGS`, or of `NAMING_FLAGS`. */
export interface RelocationFlags {
  readonly naming: RelocationNaming | undefined;
  readonly 'map-file': string | undefined;
  readonly 'max-depth': number | undefined;
  readonly 'pull-prefix'?: string | undefined;
}

/** What the flags say, without the prefix. */
export function readRelocationFlags(flags: RelocationFlags): {
  readonly naming: RelocationNaming | undefined;
  readonly mapFile: string | undefined;
  readonly maxDepth: number | undefined;
  readonly pullPrefix: string | undefined;
} {
  return {
    naming: flags.naming,
    mapFile: flags['map-file'],
    maxDepth: flags['max-depth'],
    pullPrefix: flags['pull-prefix'],
  };
}

/** How the chart is rewritten. */
export function readRewriteFlags(flags: Interfaces.InferredFlags<typeof REWRITE_FLAGS>): {
  readonly valuesFiles: readonly string[];
  readonly keepTemplates: boolean;
  readonly rewritesDependencies: boolean;
} {
  return {
    valuesFiles: flags.values ?? [VALUES_FILE_NAME],
    keepTemplates: flags['no-patch-templates'],
    rewritesDependencies: flags['rewrite-dependencies'],
  };
}

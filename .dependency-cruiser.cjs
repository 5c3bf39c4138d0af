/** Folders of src/ that each folder may import from, besides domain and itself. */
const ARROWS = {
  domain: [],
  transport: ['processes'],
  processes: [],
  helm: ['archive', 'files', 'processes'],
  content: ['archive', 'files', 'transport'],
  archive: ['files'],
  server: ['content', 'archive', 'files', 'transport'],
  files: ['processes'],
  trust: [],
  output: ['workflows/ports\\.ts'],
  workflows: ['content', 'archive', 'server', 'files', 'transport', 'trust', 'helm'],
  commands: ['workflows', 'output', 'environment\\.ts'],
};

/** The one place in src/ that may import a library. */
const HOMES = {
  '@oclif': '^src/(commands/|main\\.ts$)',
  listr2: '^src/output/(live-|ask-terminal)',
  '@(inquirer|listr2)': '^src/output/ask-terminal\\.ts$',
  got: '^src/transport/',
  'p-retry': '^src/transport/',
  'https?-proxy-agent': '^src/transport/',
  'js-yaml': '^src/domain/yaml/',
  'tar-stream': '^src/archive/',
  semver: '^src/domain/version/',
  '@sigstore': '^src/trust/',
  '@noble': '^src/trust/decrypt-cosign-key\\.ts$',
};

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-dev-dependency',
      comment: 'What src/ imports must be a dependency.',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'nobody-imports-main',
      severity: 'error',
      from: {},
      to: { path: '^src/main\\.ts$' },
    },
    ...Object.entries(ARROWS).map(([folder, allowed]) => ({
      name: `arrows-of-${folder}`,
      comment: 'main → commands → workflows → {content, archive, server, files, trust} → transport → domain',
      severity: 'error',
      from: { path: `^src/${folder}/` },
      to: {
        path: '^src/',
        pathNot: `^src/(${['domain', folder, ...allowed].join('|')})`,
        // What output renders are results of workflows: it knows their types, never their code.
        ...(folder === 'output' ? { dependencyTypesNot: ['type-only'] } : {}),
      },
    })),
    ...Object.entries(HOMES).map(([library, home]) => ({
      name: `home-of-${library.replace(/\W/g, '')}`,
      comment: 'One home per library.',
      severity: 'error',
      from: { path: '^src/', pathNot: home },
      to: { path: `(^|/)node_modules/(@types/)?${library}/` },
    })),
    {
      name: 'domain-does-no-io',
      severity: 'error',
      from: { path: '^src/domain/' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|buffer|util|path|url)(/|$)' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};

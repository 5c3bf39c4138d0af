import tseslint from 'typescript-eslint';

const noProcessExit = {
  selector: "CallExpression[callee.object.name='process'][callee.property.name='exit']",
  message: 'Only src/main.ts ends the process: throw a DtError.',
};
const noProcessEnv = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message: 'Only src/environment.ts reads the environment: take it as a parameter.',
};
const noDefaultExport = {
  selector: 'ExportDefaultDeclaration',
  message: 'Default exports are for the command classes that oclif wants.',
};
const noPlainError = {
  selector: "ThrowStatement > NewExpression[callee.name='Error']",
  message: 'Throw a DtError with a code, or use assertNever for what cannot happen.',
};
const noGreedyFlag = {
  selector:
    "CallExpression[callee.object.name='Flags'] > ObjectExpression:has(> Property[key.name='multiple']):not(:has(> Property[key.name='multipleNonGreedy']))",
  message: 'A greedy list flag swallows the arguments behind it: add multipleNonGreedy.',
};
export default tseslint.config(
  { ignores: ['dist/', 'coverage/', '.tools/', 'node_modules/', 'out/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'no-console': 'error',
      eqeqeq: 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      // `Promise<void>` methods of interfaces are implemented by methods that have nothing to await.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: false }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'no-restricted-syntax': ['error', noProcessExit, noProcessEnv, noDefaultExport, noPlainError, noGreedyFlag],
    },
  },
  { files: ['src/main.ts'], rules: { 'no-restricted-syntax': ['error', noProcessEnv, noDefaultExport, noPlainError] } },
  {
    files: ['src/environment.ts'],
    rules: { 'no-restricted-syntax': ['error', noProcessExit, noDefaultExport, noPlainError] },
  },
  {
    files: ['src/commands/**/*.ts'],
    rules: {
      'no-restricted-syntax': ['error', noProcessExit, noProcessEnv, noPlainError, noGreedyFlag],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // node:test gives promises for its own bookkeeping; the runner waits for them.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', name: ['test', 'it', 'describe', 'suite'], package: 'node:test' },
          ],
        },
      ],
    },
  },
);

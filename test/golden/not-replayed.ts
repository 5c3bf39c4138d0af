/** The folders of the golden data that `replay.test.ts` does not run, and why. */
export const NOT_REPLAYED: Readonly<Record<string, string>> = {
  helm: 'a recording of Helm itself; test/unit/domain/chart/chart-config.test.ts and test/unit/archive/chart-archive.test.ts compare with it',
  registry: 'no case: the content of the source registry of all others',
  tables: 'no cases: the unit tests of src/domain/relocation go through every row',
};

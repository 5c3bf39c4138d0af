const OTHER_TOOLS = 'a recording of imgpkg and kbld; what we write for them is read by their own code in issue 9';

/** The folders of the golden data that `replay.test.ts` does not run, and why. */
export const NOT_REPLAYED: Readonly<Record<string, string>> = {
  helm: 'a recording of Helm itself; test/unit/domain/chart/chart-config.test.ts and test/unit/archive/chart-archive.test.ts compare with it',
  imgpkg: OTHER_TOOLS,
  kbld: OTHER_TOOLS,
  registry: 'no case: the content of the source registry of all others',
  tables: 'no cases: the unit tests of src/domain/relocation go through every row',
};

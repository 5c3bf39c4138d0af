import type { ChartMode } from '../../src/workflows/unwrapping/chart-plan.ts';
import { selectMutation, type FuzzMutation } from './fuzz-mutations.ts';
import type { FuzzSeed } from './fuzz-seeds.ts';
import { createRandom } from './random.ts';

/** One hostile wrap with the way it is used. The same seed and index give the same bytes. */
export interface FuzzCase {
  readonly index: number;
  readonly mutation: FuzzMutation;
  readonly source: FuzzSeed;
  readonly chartMode: ChartMode;
  readonly bytes: Buffer;
}

const CHART_MODES: readonly ChartMode[] = ['rewrite', 'keep', 'overlay'];
/** Keeps the numbers of runs with neighbouring seeds apart. */
const SEED_DISTANCE = 1_000_003;

export async function createFuzzCase(sources: readonly FuzzSeed[], seed: number, index: number): Promise<FuzzCase> {
  const mutation = selectMutation(index);
  const random = createRandom(seed * SEED_DISTANCE + index);
  const source = random.pick(sources.filter((candidate) => isFit(candidate, mutation)));
  const chartMode = random.pick(CHART_MODES);
  return { index, mutation, source, chartMode, bytes: await mutation.mutate(source, random) };
}

function isFit({ isForeign, pieces }: FuzzSeed, { needs }: FuzzMutation): boolean {
  if (needs === 'toc') return !isForeign;
  return needs === undefined || pieces.some(({ header }) => header.name.endsWith('/chart/Chart.yaml'));
}

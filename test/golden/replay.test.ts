import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { GOLDEN_PORTS, listGoldenCases } from '../support/golden.ts';
import { loadGoldenRegistry, startEmbeddedRegistry, type EmbeddedRegistry } from '../support/registries.ts';
import { createReplay } from './replay-frame.ts';
import { replayInfoCases } from './replay-info.ts';
import { replayLockCases } from './replay-lock.ts';
import { replayWrapCases } from './replay-wrap.ts';

// All cases are in this one file, because the recorded bytes name fixed ports.
describe('golden replay', () => {
  const registries: EmbeddedRegistry[] = [];
  before(async () => {
    const source = await startEmbeddedRegistry({ port: GOLDEN_PORTS.source });
    registries.push(source, await startEmbeddedRegistry({ port: GOLDEN_PORTS.authenticated, auth: true }));
    await loadGoldenRegistry(source.host);
  });
  after(async () => {
    await Promise.all(registries.map(async (registry) => registry.close()));
  });

  const replayed = new Set<string>();
  const replay = createReplay(replayed);
  replayLockCases(replay);
  replayInfoCases(replay);
  replayWrapCases(replay);
});

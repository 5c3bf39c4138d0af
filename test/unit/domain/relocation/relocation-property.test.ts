import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDtError } from '../../../../src/domain/errors.ts';
import {
  formatReference,
  formatRepository,
  parseReference,
  type Reference,
} from '../../../../src/domain/oci/reference.ts';
import { RELOCATION_NAMINGS, type RelocationNaming } from '../../../../src/domain/relocation/image-naming.ts';
import {
  isUnderPrefix,
  pushTarget,
  relocateReference,
  relocateReferenceText,
} from '../../../../src/domain/relocation/relocate-reference.ts';
import { parseRelocationMapping } from '../../../../src/domain/relocation/relocation-mapping.ts';
import { parseRelocationPrefix } from '../../../../src/domain/relocation/relocation-prefix.ts';
import type { RelocationRule } from '../../../../src/domain/relocation/relocation-rule.ts';
import { createRandom, SEED, type Random } from '../../../support/random.ts';

const ROUNDS = 4_000;
/** Few, so that images lie under prefixes and where mappings lead to. */
const REGISTRIES = [
  'docker.io',
  'index.docker.io',
  'quay.io',
  'acme.com',
  'ACME.com',
  'acme.com:5000',
  'localhost',
  'localhost:5000',
  '[::1]:5000',
  'a--b.io',
];
const PARTS = ['library', 'm', 'a', 'b', 'c1', 'x_y', 'x__y', 'x--y', 'x.y', 'app', '0'];
const PREFIXES = [...REGISTRIES, 'acme', 'm'];
const MAPPINGS: readonly (readonly [string, string])[] = [
  ['quay.io/a', 'q'],
  ['quay.io/a/*', 'quay.io/b/*'],
  ['quay.io/b/**', 'acme.com/m/**'],
  ['docker.io/*', 'hub/*'],
  ['docker.io/library', 'docker.io/m'],
  ['*/**/app', '*/apps/**/app'],
  ['localhost', 'docker.io'],
  ['*/m/*', 'docker.io/*'],
  ['acme.com', 'quay.io/a'],
  ['quay.io/x*', 'acme.com/x*'],
];

for (const naming of RELOCATION_NAMINGS) {
  test(`${naming}: names are legal, stay where they are, and are the same for reading and writing`, (t) => {
    t.diagnostic(`seed ${String(SEED)} (DT_TEST_SEED)`);
    const random = createRandom(SEED);
    let movedCount = 0;
    let keptCount = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const rule = makeRule(random, naming);
      const reference = parseReference(makeText(random));
      movedCount += isUnderPrefix(reference, rule) ? 0 : 1;
      keptCount += isUnderPrefix(reference, rule) ? 1 : 0;
      try {
        checkImage(reference, rule);
      } catch (error) {
        if (isDtError(error, 'DT_BAD_PREFIX')) {
          assert.ok((rule.maxDepth ?? 9) <= rule.path.split('/').length, describe(reference, rule));
          continue;
        }
        throw new Error(describe(reference, rule), { cause: error });
      }
    }
    assert.ok(
      movedCount > ROUNDS / 4 && keptCount > ROUNDS / 40,
      `${String(movedCount)} moved, ${String(keptCount)} kept`,
    );
  });
}

function checkImage(reference: Reference, rule: RelocationRule): void {
  const before = JSON.stringify([reference, rule]);
  const target = relocateReference(reference, rule);
  const pushed = pushTarget(reference, rule);
  assert.deepEqual(relocateReference(reference, rule), target);
  assert.equal(JSON.stringify([reference, rule]), before);

  // Legal: its text says the same, but for a registry that reads as a folder of Docker Hub.
  for (const [place, prefix] of [
    [target, rule.pull ?? rule],
    [pushed, rule],
  ] as const) {
    const parsed = parseReference(formatReference(place));
    const isBare = !/[.:]|^localhost$/.test(place.registry);
    assert.equal(formatReference(parsed), `${isBare ? 'docker.io/' : ''}${formatReference(place)}`);
    assert.deepEqual([place.tag, place.digest], [reference.tag, reference.digest]);
    const folder = prefix.path === '' ? prefix.registry : `${prefix.registry}/${prefix.path}`;
    if (rule.mappings === undefined) assert.ok(formatRepository(place).startsWith(`${folder}/`));
    const isCounted = rule.mappings === undefined && place === pushed && !liesUnderAny(reference, rule);
    if (isCounted) assert.ok(place.repository.split('/').length <= (rule.maxDepth ?? Infinity));
  }

  // Twice is once, also through texts, and both names of an image lead to one place.
  assert.deepEqual(relocateReference(target, rule), target);
  const text = relocateReferenceText(formatReference(reference), rule);
  assert.equal(relocateReferenceText(text, rule), text);
  assert.deepEqual(pushTarget(target, rule), pushed);
  assert.deepEqual(pushTarget(parseReference(formatReference(target)), rule), pushed);
  assert.ok(isUnderPrefix(target, rule));
}

/** Docker Hub adds a part of its own, and what lies under a prefix keeps its depth. */
function liesUnderAny(reference: Reference, { pull, registry, path }: RelocationRule): boolean {
  const prefixes = [{ registry, path }, ...(pull === undefined ? [] : [pull])];
  return prefixes.some((prefix) => prefix.registry === 'docker.io' || isUnderPrefix(reference, prefix));
}

function makeText(random: Random): string {
  const path = Array.from({ length: 1 + random.below(5) }, () => random.pick(PARTS)).join('/');
  const tag = random.pick(['', ':1', ':V1.0_a-b']);
  const digest = random.pick(['', `@sha256:${'a'.repeat(64)}`, `@sha512:${'b'.repeat(128)}`]);
  return `${random.pick(['', `${random.pick(REGISTRIES)}/`])}${path}${tag}${digest}`;
}

function makeRule(random: Random, naming: RelocationNaming): RelocationRule {
  const makePrefix = (): string =>
    [random.pick(PREFIXES), ...Array.from({ length: random.below(3) }, () => random.pick(['m', 'a', 'x.y']))].join('/');
  const mappings = Array.from({ length: random.below(4) }, () => parseRelocationMapping(...random.pick(MAPPINGS)));
  return {
    ...parseRelocationPrefix(makePrefix()),
    naming,
    ...(random.below(3) === 0 ? { maxDepth: 1 + random.below(5) } : {}),
    ...(random.below(3) === 0 ? { pull: parseRelocationPrefix(makePrefix()) } : {}),
    ...(mappings.length === 0 ? {} : { mappings }),
  };
}

function describe(reference: Reference, rule: RelocationRule): string {
  const { mappings = [], ...rest } = rule;
  return `${formatReference(reference)} ${JSON.stringify(rest)} ${mappings.map(({ source }) => source.source).join(' ')}`;
}

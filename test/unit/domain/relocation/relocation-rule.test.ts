import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isDtError } from '../../../../src/domain/errors.ts';
import { formatReference, parseReference } from '../../../../src/domain/oci/reference.ts';
import type { RelocationNaming } from '../../../../src/domain/relocation/image-naming.ts';
import {
  isUnderPrefix,
  pushTarget,
  relocateReference,
  relocateReferenceText,
} from '../../../../src/domain/relocation/relocate-reference.ts';
import {
  findRelocationCollisions,
  toChartCollisionError,
  toCollisionError,
} from '../../../../src/domain/relocation/relocation-collisions.ts';
import { parseRelocationMapping } from '../../../../src/domain/relocation/relocation-mapping.ts';
import { parseRelocationPrefix } from '../../../../src/domain/relocation/relocation-prefix.ts';
import type { RelocationRule } from '../../../../src/domain/relocation/relocation-rule.ts';

const A = 'a'.repeat(64);
const PREFIX = parseRelocationPrefix('acme.com/federal');

const relocate = (image: string, rule: RelocationRule): string =>
  formatReference(relocateReference(parseReference(image), rule));
const push = (image: string, rule: RelocationRule): string => formatReference(pushTarget(parseReference(image), rule));

describe('a naming', () => {
  const rows: readonly (readonly [image: string, names: Readonly<Record<RelocationNaming, string>>])[] = [
    [
      'nginx:1',
      {
        'two-parts': 'library/nginx:1',
        'keep-path': 'library/nginx:1',
        'with-host': 'docker.io/library/nginx:1',
        flatten: 'library-nginx:1',
        basename: 'nginx:1',
      },
    ],
    [
      `registry.k8s.io/pause:3.9@sha256:${A}`,
      {
        'two-parts': `pause:3.9@sha256:${A}`,
        'keep-path': `pause:3.9@sha256:${A}`,
        'with-host': `registry.k8s.io/pause:3.9@sha256:${A}`,
        flatten: `pause:3.9@sha256:${A}`,
        basename: `pause:3.9@sha256:${A}`,
      },
    ],
    [
      'gcr.io/project/team_a/sub.b/app:1',
      {
        'two-parts': 'sub.b/app:1',
        'keep-path': 'project/team_a/sub.b/app:1',
        'with-host': 'gcr.io/project/team_a/sub.b/app:1',
        flatten: 'project-team_a-sub.b-app:1',
        basename: 'app:1',
      },
    ],
  ];
  for (const [image, names] of rows) {
    for (const [naming, name] of Object.entries(names) as [RelocationNaming, string][]) {
      it(`${naming} of ${image.slice(0, 40)}`, () => {
        assert.equal(relocate(image, { ...PREFIX, naming }), `acme.com/federal/${name}`);
      });
    }
  }

  it('is two-parts by default', () => {
    assert.equal(relocate('gcr.io/a/b/c/dd:1', PREFIX), 'acme.com/federal/c/dd:1');
  });

  for (const [registry, folder] of [
    ['index.docker.io', 'docker.io'],
    ['host:5000', 'host_5000'],
    ['localhost', 'localhost'],
    ['UPPER.io:443', 'upper.io_443'],
    ['127.0.0.1:5101', '127.0.0.1_5101'],
    ['[::1]:5000', '0--1_5000'],
    ['[fe80::1:2]', 'fe80--1-2'],
    ['[1::]', '1--0'],
    ['a--b.example', 'a--b.example'],
  ]) {
    it(`with-host calls ${String(registry)} ${String(folder)}`, () => {
      const rule: RelocationRule = { ...PREFIX, naming: 'with-host' };
      const target = relocate(`${String(registry)}/x/yy:1`, rule);
      assert.equal(target, `acme.com/federal/${String(folder)}/x/yy:1`);
      assert.equal(relocate(target, rule), target);
    });
  }

  it('gives no repository of one part to Docker Hub', () => {
    const rule: RelocationRule = { ...parseRelocationPrefix('docker.io'), naming: 'basename' };
    assert.equal(relocate('quay.io/x/yy:1', rule), 'docker.io/library/yy:1');
    assert.equal(relocateReferenceText('docker.io/yy:1', rule), 'docker.io/yy:1');
  });

  it('fails for a name that is too long for a repository', () => {
    const fits = 'x'.repeat(255 - 'federal/'.length);
    assert.equal(relocate(`quay.io/${fits}:1`, PREFIX), `acme.com/federal/${fits}:1`);
    assert.throws(
      () => relocate(`quay.io/x${fits}:1`, PREFIX),
      (error) => isDtError(error, 'DT_RELOCATION_FAILED'),
    );
  });
});

describe('--max-depth', () => {
  for (const [prefix, maxDepth, naming, wanted] of [
    ['acme.com/federal', 2, 'with-host', 'federal/gcr.io-a-b-app'],
    ['acme.com/federal', 3, 'with-host', 'federal/gcr.io-a-b/app'],
    ['acme.com/federal', 4, 'with-host', 'federal/gcr.io-a/b/app'],
    ['acme.com/federal', 5, 'with-host', 'federal/gcr.io/a/b/app'],
    ['acme.com/federal', 9, 'with-host', 'federal/gcr.io/a/b/app'],
    ['acme.com', 2, 'keep-path', 'a-b/app'],
    ['acme.com', 1, 'two-parts', 'b-app'],
    ['acme.com/x/y', 3, 'two-parts', 'x/y/b-app'],
    ['acme.com/x', 2, 'basename', 'x/app'],
  ] as const) {
    it(`${String(maxDepth)} under ${prefix} with ${naming}`, () => {
      const rule: RelocationRule = { ...parseRelocationPrefix(prefix), naming, maxDepth };
      assert.equal(relocate('gcr.io/a/b/app:1', rule), `acme.com/${wanted}:1`);
    });
  }

  it('refuses a prefix that leaves no room', () => {
    assert.throws(
      () => relocate('nginx:1', { ...PREFIX, maxDepth: 1 }),
      (error) => isDtError(error, 'DT_BAD_PREFIX'),
    );
  });

  it('counts the parts of the prefix for writing', () => {
    const rule: RelocationRule = { ...PREFIX, maxDepth: 2, pull: parseRelocationPrefix('cache.local/a/b/c') };
    assert.equal(push('quay.io/x/yy:1', rule), 'acme.com/federal/x-yy:1');
    assert.equal(relocate('quay.io/x/yy:1', rule), 'cache.local/a/b/c/x-yy:1');
  });
});

describe('--pull-prefix', () => {
  const rule: RelocationRule = { ...PREFIX, naming: 'keep-path', pull: parseRelocationPrefix('cache.local:5000/pull') };

  it('is what the chart says, and not where images are pushed to', () => {
    assert.equal(relocate('gcr.io/a/b/c:1', rule), 'cache.local:5000/pull/a/b/c:1');
    assert.equal(push('gcr.io/a/b/c:1', rule), 'acme.com/federal/a/b/c:1');
  });

  it('leaves alone what it has made', () => {
    const once = relocate('gcr.io/a/b/c:1', rule);
    assert.equal(relocate(once, rule), once);
    assert.equal(push(once, rule), push('gcr.io/a/b/c:1', rule));
    assert.ok(isUnderPrefix(parseReference(once), rule));
  });

  it('reads what lies under the prefix for writing', () => {
    const pushed = push('gcr.io/a/b/c:1', rule);
    assert.ok(!isUnderPrefix(parseReference(pushed), rule));
    assert.equal(relocateReferenceText(pushed, rule), 'cache.local:5000/pull/a/b/c:1');
    assert.equal(push(pushed, rule), pushed);
    const mapped: RelocationRule = { ...rule, mappings: [parseRelocationMapping('quay.io', 'acme.com/federal')] };
    assert.equal(relocateReferenceText(pushed, mapped), 'cache.local:5000/pull/a/b/c:1');
  });

  it('may be Docker Hub, which has no names of one part', () => {
    const hub: RelocationRule = { ...PREFIX, pull: parseRelocationPrefix('docker.io') };
    for (const image of ['quay.io/app:1', 'acme.com/federal/app:1']) {
      assert.equal(relocate(image, hub), 'docker.io/library/app:1');
      assert.equal(push(image, hub), 'acme.com/federal/library/app:1');
    }
    assert.equal(push('docker.io/app:1', hub), 'acme.com/federal/library/app:1');
  });

  for (const [writing, reading] of [
    ['acme.com/m', 'acme.com/m/sub'],
    ['acme.com/m/sub', 'acme.com/m'],
    ['acme.com', 'acme'],
    ['acme', 'acme.com'],
  ] as const) {
    it(`may be ${reading} for ${writing}`, () => {
      const nested: RelocationRule = { ...parseRelocationPrefix(writing), pull: parseRelocationPrefix(reading) };
      for (const image of ['quay.io/m/sub:1', 'quay.io/sub/sub:1', 'quay.io/x/yy:1']) {
        const once = relocateReferenceText(image, nested);
        assert.equal(relocateReferenceText(once, nested), once);
        assert.equal(push(once, nested), push(image, nested));
      }
    });
  }
});

describe('a collision', () => {
  const hintsOf = (images: readonly string[], rule: RelocationRule): readonly string[] => {
    const references = images.map(parseReference);
    const [collision] = findRelocationCollisions(references, (reference) => pushTarget(reference, rule));
    assert.ok(collision !== undefined);
    const error = toCollisionError(collision, rule);
    for (const image of images) assert.ok(error.message.includes(formatReference(parseReference(image))));
    return error.hints;
  };
  const MAP_HINT = '--map-file FILE with a name of its own for one of them';

  for (const [what, images, rule, hints] of [
    ['of deep names', ['gcr.io/a/s/app:1', 'gcr.io/b/s/app:1'], {}, ['--naming keep-path', MAP_HINT]],
    ['of two registries', ['gcr.io/a/app:1', 'quay.io/a/app:1'], {}, ['--naming with-host', MAP_HINT]],
    ['of base names', ['gcr.io/a/app:1', 'gcr.io/b/app:1'], { naming: 'basename' }, ['--naming two-parts', MAP_HINT]],
    ['of flat names', ['gcr.io/a-b/c:1', 'gcr.io/a/b-c:1'], { naming: 'flatten' }, ['--naming two-parts', MAP_HINT]],
    ['of short depth', ['gcr.io/a-b/c:1', 'gcr.io/a/b-c:1'], { naming: 'keep-path', maxDepth: 2 }, [MAP_HINT]],
    [
      'of mapped names',
      ['gcr.io/a/x:1', 'gcr.io/b/x:1'],
      { mappings: [parseRelocationMapping('gcr.io/*/x', 'x')] },
      [MAP_HINT],
    ],
  ] as const satisfies readonly (readonly [string, readonly string[], Partial<RelocationRule>, readonly string[]])[]) {
    it(`${what} names the flag that helps`, () => {
      assert.deepEqual(hintsOf(images, { ...PREFIX, ...rule }), hints);
    });
  }

  it('with a chart names the flags that help', () => {
    const rule: RelocationRule = { ...PREFIX, naming: 'basename' };
    const error = toChartCollisionError(
      parseReference('quay.io/x/shop:1'),
      parseReference('acme.com/federal/shop:1'),
      rule,
    );
    assert.ok(isDtError(error, 'DT_RELOCATION_COLLISION'));
    assert.deepEqual(error.hints, ['--push-chart-url URL with another place for the chart', '--naming two-parts']);
  });
});

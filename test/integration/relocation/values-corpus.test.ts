import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { EVENT_ID, getScalarValue, parseEvents } from 'js-yaml';
import { digestOf } from '../../../src/domain/oci/digest.ts';
import { parseImageText } from '../../../src/domain/relocation/image-fields.ts';
import { createKnownImages } from '../../../src/domain/relocation/known-images.ts';
import { parseRelocationPrefix } from '../../../src/domain/relocation/relocation-prefix.ts';
import { relocateValues } from '../../../src/domain/relocation/values-images.ts';
import { readYamlEvents } from '../../../src/domain/yaml/read-yaml-events.ts';
import { readYamlTree } from '../../../src/domain/yaml/read-yaml-tree.ts';
import { CORPUS } from '../../support/relocation-fixtures.ts';

/** Replaced indexes that no values file names. */
const UNRELATED_INDEXES = new Map([[digestOf('none'), digestOf('neither')]]);
const PREFIX = parseRelocationPrefix('registry.internal:5000/mirror');
/** Of the values that rendering proves to be the head of an image, the part that static rules and declared images find. */
const MIN_FOUND = 0.9;

interface Truth {
  readonly images: readonly {
    readonly normalised: string;
    readonly from: readonly { readonly kind: string; readonly file?: string; readonly key?: string }[];
  }[];
}

function scalarTexts(text: string): readonly string[] {
  return readYamlEvents(text, 'corpus').map((event) =>
    event.type === EVENT_ID.SCALAR ? `scalar ${getScalarValue(text, event)}` : String(event.type),
  );
}

describe('values files of real charts', () => {
  const folders = globSync(join(CORPUS, '*/truth.json')).map(dirname).sort();

  it('change in image scalars only, and are stable', () => {
    assert.ok(folders.length > 200);
    let found = 0;
    let proved = 0;
    for (const folder of folders) {
      const truth = JSON.parse(readFileSync(join(folder, 'truth.json'), 'utf8')) as Truth;
      const declared = truth.images.flatMap(({ normalised }) => parseImageText(normalised) ?? []);
      const known = createKnownImages(declared);
      const changed = new Set<string>();
      for (const file of globSync('**/values*.yaml', { cwd: folder })) {
        const text = readFileSync(join(folder, file), 'utf8');
        const tree = readYamlTree(text, file);
        const result = relocateValues(tree, PREFIX, known);
        assert.deepEqual(relocateValues(tree, PREFIX, known, UNRELATED_INDEXES), result, file);
        for (const { path } of result.changes) changed.add(`${file} ${path.replaceAll('"', '')}`);
        const [before, after] = [scalarTexts(text), scalarTexts(result.text)];
        assert.equal(after.length, before.length, file);
        const differing = after.filter((scalar, index) => scalar !== before[index]);
        assert.equal(differing.length, result.changes.length, file);
        for (const scalar of differing) assert.match(scalar, /registry\.internal:5000|mirror\//);
        assert.equal(result.text.split('\n').length, text.split('\n').length);
        assert.deepEqual(relocateValues(readYamlTree(result.text, file), PREFIX, known).changes, [], file);
      }
      const heads = truth.images.flatMap(({ from }) => from).filter(({ kind }) => kind === 'value');
      proved += heads.length;
      found += heads.filter(({ file = '', key = '' }) => changed.has(`${file} ${key}`)).length;
    }
    assert.ok(found / proved >= MIN_FOUND, `${String(found)} of ${String(proved)}`);
  });

  it('hold at least one file that the YAML library alone refuses', () => {
    const text = readFileSync(join(CORPUS, 'apache-pulsar-helm-chart__pulsar/values.yaml'), 'utf8');
    assert.throws(() => parseEvents(text, {}));
    assert.ok(readYamlEvents(text, 'pulsar').length > 1_000);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatCarvelYaml, type CarvelMap } from '../../../../src/domain/carvel/format-carvel-yaml.ts';
import { parseYaml } from '../../../../src/domain/yaml/parse-yaml.ts';
import { listGoldenFiles, readGoldenText } from '../lock/golden-files.ts';

/** Locks and locations that imgpkg and kbld wrote, or dt in their form. */
const WRITTEN_BY_TOOLS = /^(?:imgpkg|kbld)\/[^/]+\/output\/(?!.*bundle\.yml$).*\.yml$|^dt-.*\/output\/.*images\.yml$/;
const KINDS = /^kind: (?:ImagesLock|BundleLock|ImageLocations)$/m;

describe('formatCarvelYaml', () => {
  it('writes what the tools wrote, byte for byte', () => {
    const files = listGoldenFiles(WRITTEN_BY_TOOLS).filter((path) => KINDS.test(readGoldenText(path)));
    assert.ok(files.length > 15, String(files.length));
    const kinds = new Set<string | undefined>();
    for (const path of files) {
      const text = readGoldenText(path);
      kinds.add(KINDS.exec(text)?.[0]);
      assert.equal(formatCarvelYaml(parseYaml(text, path) as CarvelMap), text, path);
    }
    assert.ok(kinds.size > 1);
  });

  it('writes texts that read back as they were', () => {
    const texts = [
      '',
      'true',
      '1.0',
      '- a',
      'a: b',
      ' a',
      'a\n',
      'a\nb',
      'a\n\n',
      '\na',
      ' a\nb',
      'a\n b\n',
      'a\tb\n',
      'é\u0085\u2028\n',
      '---',
      '---\nx',
      'a\n\nb\n',
      'a\r\nb',
    ];
    const document: CarvelMap = {
      list: texts,
      map: Object.fromEntries(texts.map((text) => [text, text])),
      nested: { items: [{ text: 'a\nb\n', list: ['x'] }, {}], flag: true, none: undefined, empty: [], map: {} },
    };
    const text = formatCarvelYaml(document);
    const { list, map, nested } = parseYaml(text, 'x.yml') as Record<string, unknown>;
    assert.deepEqual(list, texts);
    assert.deepEqual(new Map(Object.entries(map as object)), new Map(Object.entries(document['map'] as object)));
    assert.deepEqual(nested, { items: [{ text: 'a\nb\n', list: ['x'] }, {}], flag: true, empty: [], map: {} });
    assert.match(text, /^list:\n- ""\n/m);
  });
});

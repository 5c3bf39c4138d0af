import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTableOfContents, parseTableOfContents } from '../../../../src/domain/wrap/table-of-contents.ts';

const MEMBERS = [
  { offset: 0, length: 100 },
  { offset: 100, length: 2 ** 40, path: 'ü/"x"' },
  { offset: 100 + 2 ** 40, length: 1 },
];
const END = 101 + 2 ** 40;

test('what is written is read', () => {
  assert.deepEqual(parseTableOfContents(formatTableOfContents({ members: MEMBERS }), END), { members: MEMBERS });
  assert.deepEqual(parseTableOfContents(formatTableOfContents({ members: [] }), 0), { members: [] });
});

const HOSTILE: Readonly<Record<string, unknown>> = {
  'no object': null,
  'a list': [],
  'no members': {},
  'members that are an object': { members: {} },
  'a member that is no list': { members: [{ offset: 0, length: END }] },
  'a null member': { members: [null] },
  'an empty member': { members: [[]] },
  'a gap at the start': { members: [[1, END - 1]] },
  'a gap': {
    members: [
      [0, 1],
      [2, END - 2],
    ],
  },
  'an overlap': {
    members: [
      [0, 10],
      [5, END - 5],
    ],
  },
  'an offset as text': { members: [['0', END]] },
  'a negative length': {
    members: [
      [0, -1],
      [-1, END + 1],
    ],
  },
  'a length of zero': {
    members: [
      [0, 0],
      [0, END],
    ],
  },
  'a fractional length': {
    members: [
      [0, 0.5],
      [0.5, END - 0.5],
    ],
  },
  'a length as text': { members: [[0, String(END)]] },
  'a length beyond integers': { members: [[0, 2 ** 60]] },
  'too little': { members: [[0, END - 1]] },
  'too much': { members: [[0, END + 1]] },
  nothing: { members: [] },
  'a path that is a number': { members: [[0, END, 5]] },
  'a path that is null': { members: [[0, END, null]] },
};

for (const [name, document] of Object.entries(HOSTILE)) {
  test(`refuses ${name}`, () => {
    assert.throws(() => parseTableOfContents(Buffer.from(JSON.stringify(document)), END), { code: 'DT_WRAP_INVALID' });
  });
}

test('refuses what is no JSON', () => {
  for (const text of ['', '{', '\xff'])
    assert.throws(() => parseTableOfContents(Buffer.from(text, 'latin1'), END), { code: 'DT_WRAP_INVALID' });
});

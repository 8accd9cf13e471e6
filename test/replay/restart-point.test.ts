/** What `--restart-at` says, and the steps that it means. */

import { expect, test } from 'vitest';
import { type Place, parseRestartPoint, restartsOf } from '#relight/replay/restart-point.js';

const names = ['LOOKUP', 'OPEN', 'READ', 'READ', 'RELEASE'];
const places: Place[] = names.map((name, index) => ({
  index,
  seq: 10 + 2 * index,
  timeNs: index * 1e9,
  name,
}));
const matches = (filter: string, { name }: Place): boolean => filter === `op == ${name}`;
const where = (...texts: string[]) => restartsOf(texts.map(parseRestartPoint), places, matches);

test.each([
  ['end', 5, 'before'],
  ['13', 2, 'after'],
  ['frame:14@before', 2, 'before'],
  ['READ#2', 3, 'after'],
  ['READ#1@inflight', 2, 'inflight'],
  ['time:1500ms', 2, 'after'],
  ['time:3s@before', 3, 'before'],
  ['op == RELEASE', 4, 'after'],
])('%s', (text, index, moment) => expect(where(text)).toEqual([{ index, moment }]));

test('every N requests', () => expect(where('every:2').map(({ index }) => index)).toEqual([2, 4]));

test('several points come in the order of the plan', () =>
  expect(where('end', 'OPEN#1').map(({ index }) => index)).toEqual([1, 5]));

test.each(['READ#3', 'time:1m', 'op == WRITE', '99'])('%s fits no request', (text) => {
  expect(() => where(text)).toThrow(expect.objectContaining({ code: 'usage' }));
});

test.each(['', '@before'])('"%s" is no point', (text) => {
  expect(() => parseRestartPoint(text)).toThrow(expect.objectContaining({ code: 'usage' }));
});

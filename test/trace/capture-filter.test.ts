import { expect, it } from 'vitest';
import { decodedFrames } from '#relight/trace/decoded-frames.js';
import { type Filter, isFilterError, parseFilter } from '#relight/trace/filter.js';
import { reading, written } from './support.js';
import { Talk } from './talk.js';

const parsed = (text: string): Filter => {
  const filter = parseFilter(text);
  if (isFilterError(filter)) throw new Error(filter.message);
  return filter;
};

/** What a recording with the filter keeps of one conversation, as `kind op`. */
const kept = (text: string): string[] => {
  const path = written(
    (writer) => {
      const talk = new Talk(writer);
      talk.lookup(1n, 'a', 2n, 42n);
      talk.fail(talk.ask('LOOKUP', 1n, { name: 'missing' }), 2);
      talk.open(2n, 3n);
      talk.ask('FORGET', 2n, { nlookup: 1n });
      talk.invalidate(1n, 'a');
    },
    { filter: parsed(text) },
  );
  return reading(path, (trace) => [...decodedFrames(trace)].map(({ kind, op }) => `${kind} ${op}`));
};

it.each([
  ['op==OPEN', ['request OPEN', 'reply OPEN']],
  ["name=='missing'", ['request LOOKUP', 'reply LOOKUP']],
  ['op==NOTIFY_INVAL_ENTRY', ['notification NOTIFY_INVAL_ENTRY']],
  ['nodeid==2 && op==FORGET', ['request FORGET']],
])('%s', (text, frames) => {
  expect(kept(text).filter((one) => !one.endsWith('INIT'))).toEqual(frames);
});

it('keeps the reply of every request that it kept, also where the reply then differs', () => {
  expect(kept('op==LOOKUP && error==0')).toEqual([
    ...['request LOOKUP', 'reply LOOKUP'],
    ...['request LOOKUP', 'reply LOOKUP'],
  ]);
});

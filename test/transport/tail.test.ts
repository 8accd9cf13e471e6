import { expect, test } from 'vitest';
import { Tail } from '#relight/transport/tail.js';

const after = (...chunks: string[]): Tail => {
  const tail = new Tail();
  for (const chunk of chunks) tail.append(Buffer.from(chunk));
  return tail;
};

test('nothing said, nothing kept', () => {
  expect(after().lines()).toEqual([]);
  expect(after('\n\n').lines()).toEqual([]);
});

test('lines that came in pieces are whole', () => {
  expect(after('one\ntw', 'o\n\nthree').lines()).toEqual(['one', 'two', '', 'three']);
});

test('the last ones, as many as asked for', () => {
  expect(after('1\n2\n3\n').lines(2)).toEqual(['2', '3']);
});

test('of an endless stream the end, without the line that was cut', () => {
  const line = 'x'.repeat(999);
  const lines = after(...Array.from({ length: 100 }, () => `${line}\n`), 'last\n').lines(1000);
  expect(lines.at(-1)).toBe('last');
  expect(new Set(lines.slice(0, -1))).toEqual(new Set([line]));
});

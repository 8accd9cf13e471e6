import { describe, expect, test } from 'vitest';
import { memfsOptionsFrom } from '#relight/specimen/options.js';
import { optionsWith } from './conversation.js';

describe('memfs options', () => {
  test('the defaults of the table are complete', () => {
    expect(optionsWith()).toMatchObject({
      ids: 'inode',
      handles: undefined,
      minor: 45,
      files: 32,
      reusesInos: true,
    });
  });

  test('delays by operation and for all', () => {
    expect(optionsWith({ delay: 'READ=5,LOOKUP=0.5,1' }).delays).toEqual(
      new Map([
        ['READ', 5],
        ['LOOKUP', 0.5],
        ['*', 1],
      ]),
    );
  });

  test.each([
    [{ ids: 'pointer' }, '--ids must be one of inode, '],
    [{ handles: 'x' }, '--handles must be one of'],
    [{ minor: 46 }, '--minor must be a number from 8 to 45'],
    [{ files: 1.5 }, '--files must be a whole number'],
    [{ files: 2e6 }, '--files must be a number from 0 to 1000000'],
    [{ delay: 'NOP=3' }, 'there is no operation NOP'],
    [{ delay: 'x' }, '--delay does not understand x'],
  ])('%j is refused with the remedy in the message', (given, message) => {
    expect(() => optionsWith(given)).toThrow(message);
  });

  test('a mount point is taken as it is', () => {
    expect(memfsOptionsFrom({ ...optionsWith(), ids: 'random', ...numbers }, '/dev/fd/3').mountPoint).toBe(
      '/dev/fd/3',
    );
  });
});

const numbers = {
  seed: 1,
  files: 0,
  'entry-timeout': 0,
  'attr-timeout': 0,
  'negative-timeout': 0,
  'max-write': 4096,
  minor: 31,
};

/** Small pieces of reports: numbers, lines, tables, commands. */

import { describe, expect, it } from 'vitest';
import { doctorLines } from '#relight/report/doctor.js';
import { exitText } from '#relight/report/exit-text.js';
import { commandText } from '#relight/report/plain.js';
import { fittedTables, tableLines } from '#relight/report/table.js';
import { bytesText, clockText, countedText, durationText } from '#relight/report/units.js';
import { wrapped } from '#relight/report/wrap.js';

const same = (text: string): string => text;
const paint = { bold: same, dim: same, red: same, yellow: same, green: same, cyan: same };

it.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1 KiB'],
  [1536, '1.50 KiB'],
  [1_048_575, '1.00 MiB'],
  [12_345_678, '11.8 MiB'],
  [5 * 2 ** 40, '5 TiB'],
])('%d bytes are %s', (bytes, text) => expect(bytesText(bytes)).toBe(text));

it.each([
  [0, '0ns'],
  [999, '999ns'],
  [1000, '1µs'],
  [67_100, '67.1µs'],
  [999_600, '1.00ms'],
  [12_345_678, '12.3ms'],
  [90e9, '90s'],
])('%d ns are %s', (ns, text) => expect(durationText(ns)).toBe(text));

it('counts and clocks', () => {
  expect([countedText(1, 'frame'), countedText(12_345, 'frame')]).toEqual(['1 frame', '12,345 frames']);
  expect([clockText(7.9), clockText(3723)]).toEqual(['0:07', '1:02:03']);
});

it('exits', () => {
  expect(exitText({ code: 3, signal: undefined })).toBe('exited with status 3');
  expect(exitText({ code: undefined, signal: 'SIGKILL' })).toBe('was killed by SIGKILL');
  expect(exitText({ code: undefined, signal: undefined })).toBe('ended');
});

it('commands as one would type them', () => {
  expect(commandText(['bindfs', '-o', 'a=b', 'with space', "it's", 'esc\x1b', ''])).toBe(
    "bindfs -o a=b 'with space' 'it'\\''s' $'esc\\x1b' ''",
  );
});

it('lines are broken at spaces, and long words stay whole', () => {
  expect(wrapped('  one two three four', '    ', 12)).toEqual(['  one two', '    three', '    four']);
  expect(wrapped('a-very-long-word x', '', 5)).toEqual(['a-very-long-word', 'x']);
});

it('tables', () => {
  const rows = [
    ['LOOKUP', '1'],
    ['GETATTR', '1,000'],
  ];
  expect(tableLines({ head: ['OP', 'COUNT'], rows })).toEqual([
    'OP       COUNT',
    'LOOKUP       1',
    'GETATTR  1,000',
  ]);
});

it('columns that do not fit stand in a further table', () => {
  const table = { head: ['OP', 'COUNT', 'ERRORS'], rows: [['LOOKUP', '12', '3']] };
  expect(fittedTables(table, 21)).toEqual([['OP      COUNT  ERRORS', 'LOOKUP     12       3']]);
  expect(fittedTables(table, 20)).toEqual([
    ['OP      COUNT', 'LOOKUP     12'],
    ['OP      ERRORS', 'LOOKUP       3'],
  ]);
});

describe('doctor', () => {
  const checks = [
    { name: 'kernel', state: 'ok', found: 'Linux' },
    { name: 'buffers', state: 'limited', found: 'small', costs: 'speed', mend: 'sysctl' },
    { name: '/dev/fuse', state: 'missing', found: 'does not exist' },
  ] as const;

  it('has a row for each thing, with what it costs and how to mend it', () => {
    expect(doctorLines({ canRecord: false, canReplay: true, features: [], checks }, paint)).toEqual([
      '✓ kernel            Linux',
      '! buffers           small',
      '                    costs: speed',
      '                    mend:  sysctl',
      '✗ /dev/fuse         does not exist',
      '',
      'This machine cannot record; it can replay and fuzz, which needs no mount.',
    ]);
  });
});

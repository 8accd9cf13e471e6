/** Tables of plain text: columns two spaces apart, no lines. */

import Table from 'cli-table3';

/** A table's columns; the first is aligned to the left, the others to the right. */
export interface TableText {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const parts = [
  ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
  ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'],
] as const;

/** The lines of a table, without spaces at their ends. */
export const tableLines = ({ head, rows }: TableText): string[] => {
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, i) => (i === 0 ? 'left' : 'right')),
    chars: { ...Object.fromEntries(parts.map((part) => [part, ''])), middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
};

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

/** Spaces between two columns. */
const GAP = 2;

/** The lines of a table, without spaces at their ends. */
export const tableLines = ({ head, rows }: TableText): string[] => {
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, i) => (i === 0 ? 'left' : 'right')),
    chars: { ...Object.fromEntries(parts.map((part) => [part, ''])), middle: ' '.repeat(GAP) },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
};

const widthOf = (cells: readonly string[]): number => Math.max(...cells.map((cell) => cell.length));

/**
 * Tables no wider than `width`: columns that do not fit stand in further ones, each with the first column again. Gives the
 * lines of each.
 */
export const fittedTables = ({ head, rows }: TableText, width: number): string[][] => {
  const columns = head.map((cell, i) => [cell, ...rows.map((row) => row[i] ?? '')]);
  const [first = [], ...others] = columns;
  const tables: string[][][] = [];
  let left = 0;
  for (const column of others) {
    left -= GAP + widthOf(column);
    if (left < 0 || tables.length === 0) {
      tables.push([first]);
      left = width - widthOf(first) - GAP - widthOf(column);
    }
    tables.at(-1)?.push(column);
  }
  return tables.map((table) =>
    tableLines({
      head: table.map(([cell = '']) => cell),
      rows: rows.map((_, row) => table.map((column) => column[row + 1] ?? '')),
    }),
  );
};

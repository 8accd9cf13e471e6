/** What `npm run bench` runs, and the few words of statistics that benchmarks share. */

/** One benchmark: `NAME.bench.ts` exports it as `bench`. */
export interface Bench {
  readonly title: string;
  /** Measures, and returns Markdown: the table and what it means. */
  readonly run: (args: readonly string[]) => Promise<string>;
}

/** Middle value; of an even number of values the mean of the middle two; NaN of none. */
export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2;
};

/** A Markdown table; the first column is left-aligned, the rest are numbers. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, column) => (column === 0 ? ':--' : '--:'));
  return [head, rule, ...rows].map(line).join('\n');
};

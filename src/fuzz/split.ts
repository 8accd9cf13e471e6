/**
 * Which cases of a batch did it: finds the one case, or the pair, after which a server fails, by trying parts of the batch on
 * fresh servers. It knows no servers; an attempt tells.
 */

/** Tries some cases of a batch, in order, on a fresh server; `undefined` when all is well afterwards. */
export type Attempt<F> = (cases: readonly number[]) => Promise<F | undefined>;

/** What was found. */
export interface Guilt<F> {
  /** Numbers of the cases that are needed, rising. One or two, unless it takes more. */
  readonly cases: readonly number[];
  readonly failure: F;
  /** Attempts that it took. */
  readonly attempts: number;
}

/** A batch that failed. */
export interface Failed {
  /** Cases in the batch. */
  readonly count: number;
  /** Those that look guilty, the likeliest first: they are tried alone before anything else. */
  readonly suspects: readonly number[];
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);

/**
 * The guilty cases of a batch that failed; `undefined` when it does not fail again. A batch of n takes about log2 n attempts
 * for one guilty case and twice that for a pair.
 */
export const findGuilty = async <F>(
  { count, suspects }: Failed,
  attempt: Attempt<F>,
): Promise<Guilt<F> | undefined> => {
  let attempts = 0;
  const fails = (cases: readonly number[]): Promise<F | undefined> => {
    attempts++;
    return attempt(cases);
  };
  for (const suspect of suspects) {
    const failure = await fails([suspect]);
    if (failure !== undefined) return { cases: [suspect], failure, attempts };
  }
  const whole = count === 1 && suspects.length > 0 ? undefined : await fails(range(0, count));
  if (whole === undefined) return undefined;
  const last = await lastNeeded(count, whole, fails);
  const alone = last.at === 0 ? last.failure : await fails([last.at]);
  if (alone !== undefined) return { cases: [last.at], failure: alone, attempts };
  const found = await withPartner(last, fails);
  return { ...found, attempts };
};

interface Ending<F> {
  readonly at: number;
  readonly failure: F;
}

/** The last case of the shortest part from the start that fails. */
const lastNeeded = async <F>(count: number, whole: F, fails: Attempt<F>): Promise<Ending<F>> => {
  let [passing, failing, failure] = [0, count, whole];
  while (failing - passing > 1) {
    const middle = (passing + failing) >> 1;
    const seen = await fails(range(0, middle));
    if (seen === undefined) passing = middle;
    else [failing, failure] = [middle, seen];
  }
  return { at: failing - 1, failure };
};

/** What has to come before the last case: halves that do without are dropped. */
const withPartner = async <F>(
  { at, failure }: Ending<F>,
  fails: Attempt<F>,
): Promise<Pick<Guilt<F>, 'cases' | 'failure'>> => {
  let others = range(0, at);
  let known = failure;
  while (others.length > 1) {
    const middle = others.length >> 1;
    const halves = [others.slice(middle), others.slice(0, middle)];
    let smaller: number[] | undefined;
    for (const half of halves) {
      const seen = await fails([...half, at]);
      if (seen === undefined) continue;
      [smaller, known] = [half, seen];
      break;
    }
    if (smaller === undefined) break;
    others = smaller;
  }
  return { cases: [...others, at], failure: known };
};

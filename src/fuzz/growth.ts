/**
 * Whether a server holds more and more although everything that it hands out is given back: what its lives held after each
 * batch, and words for it. It measures nothing itself.
 */

import type { Holdings } from './ground.js';

/** What a life held when it had played so many cases. */
interface Sample {
  readonly cases: number;
  readonly held: Holdings;
}

/** What a life held of one thing in the first and the last quarter of its samples, and the cases between. */
interface Rise {
  readonly from: number;
  readonly to: number;
  readonly cases: number;
}

interface Thing {
  readonly of: (held: Holdings) => number;
  readonly name: string;
  /** Less is what allocators and caches do. */
  readonly least: number;
  readonly words: (amount: number) => string;
}

const MEBIBYTE = 1024 * 1024;

const things: readonly Thing[] = [
  {
    of: ({ memory }) => memory,
    name: 'memory',
    least: 8 * MEBIBYTE,
    words: (amount) => `${(amount / MEBIBYTE).toFixed(1)} MiB`,
  },
  {
    of: ({ descriptors }) => descriptors,
    name: 'number of descriptors',
    least: 16,
    words: String,
  },
];

/** Fewer samples tell nothing. */
const FEWEST_SAMPLES = 8;
/** One life may have had its reasons. */
const FEWEST_LIVES = 2;
/** What fills up to some level grows less and less: the later half must bring this share of what the earlier one did. */
const LATE_SHARE = 0.5;

/** The least of each quarter, since what is collected now and then goes up and down. */
const quartersOf = (values: readonly number[]): number[] => {
  const length = values.length / 4;
  return [0, 1, 2, 3].map((quarter) =>
    Math.min(...values.slice(Math.floor(quarter * length), Math.floor((quarter + 1) * length))),
  );
};

const riseIn = (samples: readonly Sample[], { of, least }: Thing): Rise | undefined => {
  const [first = 0, second = 0, third = 0, last = 0] = quartersOf(samples.map(({ held }) => of(held)));
  const isRising = first < second && second < third && third < last && last - first >= least;
  if (!isRising || last - third < (second - first) * LATE_SHARE) return undefined;
  const quarter = Math.floor(samples.length / 4);
  const cases = (samples.at(-quarter)?.cases ?? 0) - (samples[0]?.cases ?? 0);
  return { from: first, to: last, cases };
};

/** The growth of one server over the lives of a campaign. */
export class Growth {
  #samples: Sample[] = [];
  #cases = 0;
  #lives = 0;
  readonly #rises = new Map<Thing, Rise[]>(things.map((thing) => [thing, []]));

  /** Takes what the life holds after a batch of so many cases; absent when it cannot be known, or the life is over. */
  took(cases: number, held: Holdings | undefined): void {
    this.#cases += cases;
    if (held !== undefined && held.memory > 0) this.#samples.push({ cases: this.#cases, held });
  }

  /** A life ended. Those with few batches count for nothing. */
  ended(): void {
    const samples = this.#samples;
    this.#samples = [];
    this.#cases = 0;
    if (samples.length < FEWEST_SAMPLES) return;
    this.#lives++;
    for (const [thing, rises] of this.#rises) {
      const rise = riseIn(samples, thing);
      if (rise !== undefined) rises.push(rise);
    }
  }

  /** Sentences without a full stop about what grew in most lives; none when nothing did. */
  get notes(): string[] {
    return [...this.#rises].flatMap(([thing, rises]) => {
      const rise = rises.at(-1);
      if (rise === undefined || rises.length < FEWEST_LIVES || rises.length * 2 <= this.#lives) return [];
      const { name, words } = thing;
      const { from, to, cases } = rise;
      const lives = `in ${rises.length} of ${this.#lives} lives`;
      return [
        `the server's ${name} grew steadily ${lives}, at last from ${words(from)} to ${words(to)} over ${cases} cases, although what it handed out was given back`,
      ];
    });
  }
}

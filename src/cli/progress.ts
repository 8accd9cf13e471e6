/** A progress bar on a terminal for work that takes longer than a second; nothing where there is no terminal. */

import { Presets, SingleBar } from 'cli-progress';

const APPEARS_AFTER_MS = 1000;
/** Steps between two looks at the clock. */
const STRIDE = 1024;

/** Progress of one piece of work. */
export class Progress {
  readonly #total: number;
  readonly #what: string;
  readonly #startMs = performance.now();
  #bar: SingleBar | undefined;
  #done = 0;

  /** total: steps of the work; what: what a step is, in the plural. */
  constructor(total: number, what: string) {
    this.#total = total;
    this.#what = what;
  }

  /** One step is done. */
  step(): void {
    if (++this.#done % STRIDE === 0) this.#look();
  }

  /** Takes the bar away. */
  end(): void {
    this.#bar?.stop();
  }

  #look(): void {
    if (this.#bar === undefined && performance.now() - this.#startMs > APPEARS_AFTER_MS) this.#begin();
    this.#bar?.update(this.#done);
  }

  #begin(): void {
    const format = `{bar} {percentage}%  {value} of {total} ${this.#what}`;
    this.#bar = new SingleBar(
      { format, clearOnComplete: true, stream: process.stderr, barsize: 30 },
      Presets.shades_classic,
    );
    this.#bar.start(this.#total, this.#done);
  }
}

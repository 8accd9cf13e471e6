/** What stands in square brackets behind a frame: `[at=1500 seq=40]`, numbers and lists of numbers by name. */

import type { Line } from './line.js';
import { parseBig, parseRanges } from './numbers.js';

/** Facts by name; `undefined` ones are left out. */
export const factsText = (facts: Readonly<Record<string, string | undefined>>): string => {
  const words = Object.entries(facts).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
  return `[${words.join(' ')}]`;
};

/** Facts that were read. */
export class Facts {
  readonly #line: Line;
  readonly #values = new Map<string, string>();

  /** Reads brackets with any of these names; none at all is the same as empty ones. */
  constructor(line: Line, names: readonly string[]) {
    this.#line = line;
    if (!line.takeIf('[')) return;
    while (!line.takeIf(']')) {
      const name = line.parsed(
        () => `"]" or one of ${names.join(', ')}`,
        (text) => (names.includes(text) ? text : undefined),
      );
      line.mark('=');
      this.#values.set(name, line.atom(`a number for ${name}`));
    }
  }

  /** A number from 0 up to 2^64; 0 when it is not given. */
  big(name: string): bigint {
    const text = this.#values.get(name) ?? '0';
    const value = parseBig(text);
    return value === undefined || value < 0n ? this.#line.fail(`a number for ${name}`, text) : value;
  }

  /** A number up to 2^53; 0 when it is not given. */
  number(name: string): number {
    const value = Number(this.big(name));
    return Number.isSafeInteger(value)
      ? value
      : this.#line.fail(`a number up to 2^53 for ${name}`, `${value}`);
  }

  /** A number, or `undefined` when it is not given. */
  optional(name: string): number | undefined {
    return this.#values.has(name) ? this.number(name) : undefined;
  }

  /** Whatever stands there; `undefined` when nothing does. */
  text(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** The same up to 2^64. */
  optionalBig(name: string): bigint | undefined {
    return this.#values.has(name) ? this.big(name) : undefined;
  }

  /** Numbers such as `3,7-9`; none when they are not given. */
  numbers(name: string): readonly number[] {
    const text = this.#values.get(name);
    if (text === undefined) return [];
    return parseRanges(text) ?? this.#line.fail(`numbers such as 3,7-9 for ${name}`, text);
  }
}

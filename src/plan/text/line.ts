/** One line of a plan's text while it is read: atoms, strings and marks, with errors that say where and what was expected. */

import { RelightError } from '../../base/error.js';

/** Characters that stand for themselves; `=>` is one mark. */
const MARKS = '[]{}=';
const MARK = /=>|[[\]{}=]/y;
const ATOM = /[^\s[\]{}="]+/y;
const STRING = /"(?:[^"\\]|\\.)*"/y;
const SPACE = /\s*/y;

/** Reads from left to right. */
export class Line {
  readonly #text: string;
  readonly #where: string;
  #at = 0;

  /** `where` names file and line for errors, such as `a.plan:12`. */
  constructor(text: string, where: string) {
    this.#text = text;
    this.#where = where;
    this.#take(SPACE);
  }

  /** Whether nothing is left. */
  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** Whether an atom or a string comes next. */
  get isAtWord(): boolean {
    const next = this.#text[this.#at];
    return next !== undefined && !MARKS.includes(next);
  }

  /** Takes a mark if it comes next. */
  takeIf(mark: string): boolean {
    const found = this.#peek(MARK);
    if (found !== mark) return false;
    this.#advance(found);
    return true;
  }

  /** Takes a mark. */
  mark(mark: string): void {
    if (!this.takeIf(mark)) this.fail(`"${mark}"`);
  }

  /** Takes an atom; `what` says in errors what it should be. */
  atom(what: string): string {
    const found = this.#peek(ATOM);
    if (found === undefined) return this.fail(what);
    this.#advance(found);
    return found;
  }

  /** Takes an atom if `wanted` holds for the one that comes next. */
  atomIf(wanted: (atom: string) => boolean): string | undefined {
    const found = this.#peek(ATOM);
    if (found === undefined || !wanted(found)) return undefined;
    this.#advance(found);
    return found;
  }

  /** Takes a string in double quotes, as in JSON. */
  string(what: string): string {
    const found = this.#peek(STRING);
    if (found === undefined) return this.fail(`${what} in double quotes`);
    this.#advance(found);
    try {
      return String(JSON.parse(found));
    } catch {
      return this.fail(`${what} with escapes as in JSON`, found);
    }
  }

  /** Takes an atom that `parse` makes sense of; `what` is a function where the words take time to make. */
  parsed<T>(what: string | (() => string), parse: (atom: string) => T | undefined): T {
    const found = this.#peek(ATOM);
    const value = found === undefined ? undefined : parse(found);
    if (found === undefined || value === undefined)
      return this.fail(typeof what === 'string' ? what : what());
    this.#advance(found);
    return value;
  }

  /** Ends the reading with an error: a RelightError that says where, what was expected and what stands there. */
  fail(expected: string, found = this.#next()): never {
    throw new RelightError('usage', `${this.#where}: expected ${expected}, found ${found}`);
  }

  #next(): string {
    return this.isAtEnd ? 'the end of the line' : (/^\S{1,40}/.exec(this.#text.slice(this.#at))?.[0] ?? '');
  }

  #peek(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text)?.[0];
  }

  #advance(found: string): void {
    this.#at += found.length;
    this.#take(SPACE);
  }

  #take(pattern: RegExp): void {
    this.#at += this.#peek(pattern)?.length ?? 0;
  }
}

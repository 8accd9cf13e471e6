/**
 * The filter language of `record`, `show` and restart points: claims about decoded frames.
 *
 *     filter      = and { "||" and }
 *     and         = not { "&&" not }
 *     not         = "!" not | "(" filter ")" | claim
 *     claim       = field                             it is there, and not 0 or empty
 *                 | field ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) value
 *                 | field ( "=~" | "!~" ) "regular expression"
 *                 | field "&" number                  they have a bit in common
 *     field       = op | kind | direction | error | latency | time | timeNs | nodeid | unique | incarnation | seq | length
 *                 | resent | cut | undecoded
 *                 | [ "request." | "reply." | "header." ] name { "." name }
 *     value       = number | "text" | 'text' | word
 *     number      = decimal or 0x…, up to 64 bits; with k M G (1024s) or ns us ms s min (nanoseconds)
 *
 * `op` takes names of operations, `error` a number or an errno name (0 is success), `direction` toServer or toKernel, `kind`
 * request, reply or notification. `time` counts from the start of the recording, `timeNs` from 1970. A reply has the fields
 * of its request too. A claim about a field that a frame does not have is false; one about a field that only the reply
 * will have is undecided on the request, and so not a match.
 */

import { errnoNumber } from '../base/errno.js';
import { nearest } from '../base/spelling.js';
import { notifications } from '../protocol/notifications.js';
import { operations } from '../protocol/operations.js';
import { candidates, unknownSegment } from './filter-fields.js';
import { type FilterError, filterError, type Token, tokenise } from './filter-tokens.js';

export type { FilterError } from './filter-tokens.js';

/** What a field is compared with. */
export type FilterValue =
  | { readonly kind: 'number'; readonly value: bigint; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'pattern'; readonly pattern: RegExp };

const comparisons = ['==', '!=', '<', '<=', '>', '>=', '=~', '!~', '&'] as const;

/** How a field is compared. */
export type Comparison = (typeof comparisons)[number];

/** A claim about one field. */
export type Claim =
  | { readonly kind: 'has'; readonly field: string }
  | {
      readonly kind: 'compare';
      readonly field: string;
      readonly by: Comparison;
      readonly value: FilterValue;
    };

/** A parsed filter: plain data. */
export type Filter =
  | Claim
  | { readonly kind: 'and' | 'or'; readonly left: Filter; readonly right: Filter }
  | { readonly kind: 'not'; readonly inner: Filter };

/** Parentheses and negations within each other; deeper ones are refused rather than overflow the stack. */
const MAX_DEPTH = 100;

const scales: Readonly<Record<string, bigint>> = {
  k: 1n << 10n,
  K: 1n << 10n,
  M: 1n << 20n,
  G: 1n << 30n,
  ns: 1n,
  us: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  min: 60_000_000_000n,
};

const numberOf = (text: string): bigint | undefined => {
  if (/^0x[0-9a-f]+$/i.test(text)) return BigInt(text);
  const [, sign = '', whole = '', fraction = '', unit = ''] =
    /^(-?)(\d+)(?:\.(\d+))?([a-zA-Z]*)$/.exec(text) ?? [];
  const scale = unit === '' ? 1n : Object.hasOwn(scales, unit) ? scales[unit] : undefined;
  if (whole === '' || scale === undefined || (fraction !== '' && unit === '')) return undefined;
  const value = (BigInt(whole + fraction) * scale) / 10n ** BigInt(fraction.length);
  return sign === '-' ? -value : value;
};

const opNames: ReadonlySet<string> = new Set([
  ...operations.map(({ name }) => name),
  ...notifications.map(({ name }) => `NOTIFY_${name}`),
]);

const wordsOf: Readonly<Record<string, ReadonlySet<string>>> = {
  direction: new Set(['toServer', 'toKernel']),
  kind: new Set(['request', 'reply', 'notification', 'malformed']),
};

const hint = (word: string, known: Iterable<string>): string => {
  const near = nearest(word, known);
  return near === undefined ? '' : ` (did you mean ${near}?)`;
};

const quoted = (token: Token): string => (token.kind === 'end' ? token.text : JSON.stringify(token.text));

const expected = (token: Token, what: string): FilterError =>
  filterError(token.position, what, quoted(token));

const isError = (value: object): value is FilterError => 'kind' in value && value.kind === 'filterError';

const operationValue = (token: Token): FilterValue | FilterError => {
  const name = token.text.toUpperCase().replace(/^FUSE_/, '');
  if (opNames.has(name) || /^(OP|NOTIFY)_\d+$/.test(name)) return { kind: 'text', text: name };
  return expected(token, `an operation such as LOOKUP${hint(name, opNames)}`);
};

const errorValue = (token: Token): FilterValue | FilterError => {
  const number = token.kind === 'number' ? numberOf(token.text) : undefined;
  if (number !== undefined)
    return { kind: 'number', value: number < 0n ? -number : number, text: token.text };
  if (/^ok$/i.test(token.text)) return { kind: 'number', value: 0n, text: token.text };
  const errno = errnoNumber(token.text.toUpperCase());
  if (errno === undefined) return expected(token, 'an error number or a name such as ENOENT');
  return { kind: 'number', value: BigInt(errno), text: token.text };
};

const plainValue = (token: Token): FilterValue | FilterError => {
  if (token.kind !== 'number') return { kind: 'text', text: token.text };
  const value = numberOf(token.text);
  if (value === undefined) return expected(token, 'a number, such as 12, 0x1f, 64k or 1.5ms');
  return { kind: 'number', value, text: token.text };
};

const patternValue = (token: Token): FilterValue | FilterError => {
  if (token.kind !== 'string') return expected(token, 'a regular expression in quotes');
  try {
    return { kind: 'pattern', pattern: new RegExp(token.text, 'u') };
  } catch {
    return expected(token, 'a regular expression');
  }
};

const claimedValue = (field: string, by: Comparison, token: Token): FilterValue | FilterError => {
  if (by === '=~' || by === '!~') return patternValue(token);
  if (token.kind === 'end' || token.kind === 'operator') return expected(token, 'a value');
  if (by === '&') return token.kind === 'number' ? plainValue(token) : expected(token, 'a number');
  if (field === 'op') return operationValue(token);
  if (field === 'error') return errorValue(token);
  const words = Object.hasOwn(wordsOf, field) ? wordsOf[field] : undefined;
  if (words !== undefined && !words.has(token.text)) return expected(token, [...words].join(' or '));
  return plainValue(token);
};

const isComparison = (text: string): text is Comparison => comparisons.some((one) => one === text);

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  all(): Filter | FilterError {
    const filter = this.#chain('||', 'or', () => this.#chain('&&', 'and', () => this.#negation()));
    if (isError(filter) || this.#peek.kind === 'end') return filter;
    return expected(this.#peek, '&&, || or the end');
  }

  get #peek(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', text: 'end of the filter', position: 0 };
  }

  #take(operator: string): boolean {
    const { kind, text } = this.#peek;
    if (kind !== 'operator' || text !== operator) return false;
    this.#at++;
    return true;
  }

  #chain(operator: string, kind: 'and' | 'or', next: () => Filter | FilterError): Filter | FilterError {
    let left = next();
    while (!isError(left) && this.#take(operator)) {
      const right = next();
      if (isError(right)) return right;
      left = { kind, left, right };
    }
    return left;
  }

  #negation(): Filter | FilterError {
    if (this.#depth >= MAX_DEPTH) return expected(this.#peek, 'fewer parentheses within each other');
    this.#depth++;
    const filter = this.#take('!') ? this.#negated() : this.#take('(') ? this.#group() : this.#claim();
    this.#depth--;
    return filter;
  }

  #negated(): Filter | FilterError {
    const inner = this.#negation();
    return isError(inner) ? inner : { kind: 'not', inner };
  }

  #group(): Filter | FilterError {
    const inner = this.#chain('||', 'or', () => this.#chain('&&', 'and', () => this.#negation()));
    if (isError(inner) || this.#take(')')) return inner;
    return expected(this.#peek, '")"');
  }

  #claim(): Filter | FilterError {
    const name = this.#peek;
    if (name.kind !== 'word') return expected(name, 'a field, such as op or nodeid');
    const wrong = unknownSegment(name.text);
    if (wrong !== undefined) return expected(name, `a field${hint(wrong, candidates)}`);
    this.#at++;
    const { kind, text: by } = this.#peek;
    if (kind !== 'operator' || !isComparison(by)) return { kind: 'has', field: name.text };
    this.#at++;
    const value = claimedValue(name.text, by, this.#peek);
    if (isError(value)) return value;
    this.#at++;
    return { kind: 'compare', field: name.text, by, value };
  }
}

/** The filter that a text says, or where and why it says none. */
export const parseFilter = (text: string): Filter | FilterError => {
  const tokens = tokenise(text);
  return 'kind' in tokens ? tokens : new Parser(tokens).all();
};

/** Whether parsing failed. */
export const isFilterError = (parsed: Filter | FilterError): parsed is FilterError =>
  parsed.kind === 'filterError';

/** Words of the filter language. Knows no grammar. */

/** Kind of a token. */
export type TokenKind = 'word' | 'number' | 'string' | 'operator' | 'end';

/** One token and where it stands, in characters from 0. */
export interface Token {
  readonly kind: TokenKind;
  /** As typed; of a string, what is between its quotes with escapes resolved. */
  readonly text: string;
  readonly position: number;
}

/** Why a text is no filter. */
export interface FilterError {
  readonly kind: 'filterError';
  /** Characters from 0. */
  readonly position: number;
  /** A phrase such as `a value`. */
  readonly expected: string;
  /** What stands there; `end of the filter` when nothing does. */
  readonly found: string;
  /** One line for people. */
  readonly message: string;
}

/** An error at a place of a filter. */
export const filterError = (position: number, expected: string, found: string): FilterError => ({
  kind: 'filterError',
  position,
  expected,
  found,
  message: `filter, column ${position + 1}: expected ${expected}, found ${found}`,
});

const OPERATOR = /&&|\|\||==|!=|<=|>=|=~|!~|[<>!()&]/y;
// Whatever begins with a digit: what it says is for the grammar to judge.
const NUMBER = /-?\d[\w.]*/y;
const WORD = /[A-Za-z_][\w.]*/y;
const STRING = /"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'/y;
const SPACE = /\s*/y;

const matchAt = (pattern: RegExp, text: string, position: number): RegExpExecArray | null => {
  pattern.lastIndex = position;
  return pattern.exec(text);
};

const kinds = [
  ['operator', OPERATOR],
  ['number', NUMBER],
  ['word', WORD],
  ['string', STRING],
] as const;

const tokenAt = (text: string, position: number): { token: Token; length: number } | undefined => {
  for (const [kind, pattern] of kinds) {
    const match = matchAt(pattern, text, position);
    if (match === null) continue;
    const inner = match[1] ?? match[2];
    const value = kind === 'string' ? (inner ?? '').replace(/\\(.)/gs, '$1') : match[0];
    return { token: { kind, text: value, position }, length: match[0].length };
  }
  return undefined;
};

/** All tokens with an `end` after them, or the first place where none is. */
export const tokenise = (text: string): Token[] | FilterError => {
  const tokens: Token[] = [];
  let position = matchAt(SPACE, text, 0)?.[0].length ?? 0;
  while (position < text.length) {
    const found = tokenAt(text, position);
    if (found === undefined)
      return filterError(position, 'a field, a value or an operator', JSON.stringify(text[position]));
    tokens.push(found.token);
    position += found.length;
    position += matchAt(SPACE, text, position)?.[0].length ?? 0;
  }
  return [...tokens, { kind: 'end', text: 'end of the filter', position }];
};

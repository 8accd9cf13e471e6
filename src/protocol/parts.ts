/**
 * What the body of a message is made of: a sequence of parts, each a struct, a name, bytes or repeated records. The
 * TypeScript type of a decoded body follows from its parts. It knows no operation.
 */

import type { InitFlagName } from './flags.js';
import type { FieldSpecs, FieldsOf, Struct } from './layout.js';

/**
 * A claim about one number of a message: `(value & mask) === is`, or that the masked value is not 0 when `is` is absent.
 * `from: 'request'` looks into the request while a reply is decoded.
 */
export interface Condition {
  readonly from?: 'request';
  /** Dotted path of the field. */
  readonly field: string;
  readonly mask?: number;
  readonly is?: number;
}

/** When a struct is cut to `bytes`: below a minor, or unless an INIT flag was negotiated. */
export type ShortRule = { readonly bytes: number } & (
  | { readonly minorBelow: number }
  | { readonly unless: InitFlagName }
);

/** A struct whose fields stand at the top level of the decoded fields. */
export interface StructPart<S extends Struct = Struct> {
  readonly kind: 'struct';
  readonly layout: S;
  /** The first rule that holds gives the size; the whole struct when none does. */
  readonly short: readonly ShortRule[];
  /** The sender may cut it after any field, whatever the rules say; the length of the frame tells. */
  readonly open: boolean;
}

/** What bytes mean to their owner: a file name, a path, the list of an inode's xattr names, or contents. */
export type Content = 'name' | 'path' | 'names' | 'data';

/** A name and its NUL; `length` names the field with its bytes where the message counts them as well. */
export interface NamePart<F extends string = string> {
  readonly kind: 'name';
  readonly field: F;
  readonly content: Content;
  readonly length?: string;
}

/** Text up to the end of the message, without NUL. */
export interface TextPart<F extends string = string> {
  readonly kind: 'text';
  readonly field: F;
  readonly content: Content;
}

/** Bytes: as many as the field `length` says, up to the end of the message when there is none. */
export interface BytesPart<F extends string = string> {
  readonly kind: 'bytes';
  readonly field: F;
  readonly content: Content;
  readonly length?: string;
}

/** As many structs as the fields of `count` say together. */
export interface ListPart<F extends string = string, S extends Struct = Struct> {
  readonly kind: 'list';
  readonly field: F;
  readonly of: S;
  readonly count: readonly string[];
}

/** Directory records up to the end: struct, `namelen` bytes of name, padding to 8 (FUSE_DIRENT_ALIGN). */
export interface RecordsPart<F extends string = string, S extends Struct = Struct> {
  readonly kind: 'records';
  readonly field: F;
  readonly of: S;
}

/** One of two forms of the rest of the message. */
export interface ChoicePart<
  A extends readonly SimplePart[] = readonly SimplePart[],
  B extends readonly SimplePart[] = readonly SimplePart[],
> {
  readonly kind: 'choice';
  readonly when: Condition;
  readonly then: A;
  readonly otherwise: B;
}

/** A part that is there in every message of its kind. */
export type SimplePart = StructPart | NamePart | TextPart | BytesPart | ListPart | RecordsPart;
/** A part of a message's body. */
export type Part = SimplePart | ChoicePart;

/** What follows the fixed struct in a directory record. `padding` is there only when it is not all zero. */
export type RecordTail = {
  readonly name: string;
  readonly padding?: Uint8Array;
};

type FieldsOfStruct<S> = S extends Struct<infer F extends FieldSpecs> ? FieldsOf<F> : never;
type FieldsOfPart<P> =
  P extends StructPart<infer S>
    ? FieldsOfStruct<S>
    : P extends NamePart<infer F> | TextPart<infer F>
      ? { readonly [K in F]: string }
      : P extends BytesPart<infer F>
        ? { readonly [K in F]: Uint8Array }
        : P extends ListPart<infer F, infer S>
          ? { readonly [K in F]: readonly FieldsOfStruct<S>[] }
          : P extends RecordsPart<infer F, infer S>
            ? { readonly [K in F]: readonly (FieldsOfStruct<S> & RecordTail)[] }
            : P extends ChoicePart<infer A, infer B>
              ? Partial<FieldsOfParts<A>> & Partial<FieldsOfParts<B>>
              : never;

/** TypeScript type of the fields that a sequence of parts decodes to. */
export type FieldsOfParts<T> = T extends readonly [infer Head, ...infer Rest]
  ? FieldsOfPart<Head> & FieldsOfParts<Rest>
  : Record<never, never>;

/** A whole struct, or one that is shorter under the given rules. */
export const body = <S extends Struct>(layout: S, ...short: ShortRule[]): StructPart<S> => ({
  kind: 'struct',
  layout,
  short,
  open: false,
});

/** A struct that the sender may cut after any field; the rules say how long we write it ourselves. */
export const openBody = <S extends Struct>(layout: S, ...short: ShortRule[]): StructPart<S> => ({
  kind: 'struct',
  layout,
  short,
  open: true,
});

/** A NUL-terminated name. */
export const name = <F extends string>(field: F): NamePart<F> => ({ kind: 'name', field, content: 'name' });
/** A NUL-terminated path, such as a symbolic link's target. */
export const path = <F extends string>(field: F): NamePart<F> => ({ kind: 'name', field, content: 'path' });
/** A name with its bytes counted in `length` and a NUL after it. */
export const countedName = <F extends string>(field: F, length: string): NamePart<F> => ({
  kind: 'name',
  field,
  content: 'name',
  length,
});
/** Text to the end of the message. */
export const text = <F extends string>(field: F, content: Content): TextPart<F> => ({
  kind: 'text',
  field,
  content,
});
/** Bytes to the end of the message. */
export const rest = <F extends string>(field: F, content: Content = 'data'): BytesPart<F> => ({
  kind: 'bytes',
  field,
  content,
});
/** Bytes whose number the field `length` gives. */
export const data = <F extends string>(field: F, length: string): BytesPart<F> => ({
  kind: 'bytes',
  field,
  content: 'data',
  length,
});
/** As many structs as the fields of `count` say together. */
export const list = <F extends string, S extends Struct>(
  field: F,
  of: S,
  ...count: string[]
): ListPart<F, S> => ({ kind: 'list', field, of, count });
/** Directory records. */
export const records = <F extends string, S extends Struct>(field: F, of: S): RecordsPart<F, S> => ({
  kind: 'records',
  field,
  of,
});
/** `then` when the condition holds, else `otherwise`. */
export const choice = <const A extends readonly SimplePart[], const B extends readonly SimplePart[]>(
  when: Condition,
  then: A,
  otherwise: B,
): ChoicePart<A, B> => ({ kind: 'choice', when, then, otherwise });

/** Bytes of a directory record whose fixed part and name take `size` bytes (FUSE_DIRENT_ALIGN). */
export const recordSize = (size: number): number => Math.ceil(size / 8) * 8;

/** Whether a condition holds for the number that its field has. */
export const holds = (condition: Condition, value: number): boolean => {
  const masked = (value & (condition.mask ?? 0xffff_ffff)) >>> 0;
  return condition.is === undefined ? masked !== 0 : masked === condition.is;
};

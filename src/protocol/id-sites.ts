/**
 * Where the ids are in the raw bytes of a frame, from the `ids` column of the tables: offsets are computed once for each
 * row and session, so that a recorder can follow ids and a replay can patch them without decoding.
 */

import { errorOf } from './header.js';
import { fieldAt, type Struct } from './layout.js';
import type { Negotiated } from './negotiated.js';
import type { Notification } from './notifications.js';
import type { IdUse } from './operation.js';
import type { Operation } from './operations.js';
import { type Condition, holds, type ListPart, type Part, type RecordsPart, recordSize } from './parts.js';
import { perSession } from './per-session.js';
import { sizeUnder } from './prefix.js';
import { u32At, u64At } from './raw.js';
import { inHeader, outHeader } from './structs.js';

/** An id in a frame. `offset` counts from the frame's start; `count` and `generation` are the fields that belong to it. */
export interface IdSite {
  readonly use: IdUse;
  readonly offset: number;
  readonly value: bigint;
  readonly count: bigint | undefined;
  readonly generation: bigint | undefined;
}

/** Told of each id: where it is, and the offsets of its count and generation (-1 when it has none). */
export type IdVisitor = (use: IdUse, offset: number, countAt: number, generationAt: number) => void;

/** Offsets within a struct; -1 for a field that the use does not have. */
interface Place {
  readonly use: IdUse;
  readonly at: number;
  readonly when: { readonly condition: Condition; readonly at: number } | undefined;
  readonly countAt: number;
  readonly generationAt: number;
}

/** Repeated items that hold ids, from `start` on. */
interface Repeated {
  readonly start: number;
  readonly size: number;
  readonly places: readonly Place[];
  /** Offset in the frame of the number of items; -1 for directory records, which go on to the end. */
  readonly countAt: number;
  /** Offset in an item of the length of the name behind it; -1 for a list. */
  readonly namelenAt: number;
}

/** The ids of one kind of message under one session. */
export interface IdMap {
  /** Replies with an error hold none. */
  readonly isReply: boolean;
  readonly places: readonly Place[];
  readonly repeated: Repeated | undefined;
}

const offsetIn = (layout: Struct, path: string | undefined, start: number): number => {
  const found = path === undefined ? undefined : fieldAt(layout, path);
  return found === undefined ? -1 : start + found.offset;
};

const placeIn = (layout: Struct, start: number, size: number, use: IdUse): Place[] => {
  const field = fieldAt(layout, use.field);
  if (field === undefined || field.offset + field.size > size) return [];
  const when = use.when && { condition: use.when, at: offsetIn(layout, use.when.field, start) };
  return [
    {
      use,
      at: start + field.offset,
      when,
      countAt: offsetIn(layout, use.count, start),
      generationAt: offsetIn(layout, use.generation, start),
    },
  ];
};

const headerPlaces = (uses: readonly IdUse[], body: Struct | undefined): Place[] =>
  uses
    .filter(({ part }) => part === 'header')
    .flatMap((use) => placeIn(inHeader, 0, inHeader.size, use))
    .map((place) => ({
      ...place,
      countAt: body === undefined ? -1 : offsetIn(body, place.use.count, inHeader.size),
    }));

/** A struct of a body, where it begins and how much of it there is. */
interface Standing {
  readonly layout: Struct;
  readonly at: number;
  readonly size: number;
}

/** The structs that a body begins with; everything behind them has no fixed place. */
const standing = (parts: readonly Part[], start: number, session: Negotiated): Standing[] => {
  const found: Standing[] = [];
  let at = start;
  for (const part of parts) {
    if (part.kind !== 'struct') break;
    const size = part.open ? part.layout.size : sizeUnder(part, session);
    found.push({ layout: part.layout, at, size });
    at += size;
  }
  return found;
};

const repeatedIn = (
  part: ListPart | RecordsPart,
  uses: readonly IdUse[],
  before: Standing | undefined,
  start: number,
): Repeated => ({
  start,
  size: part.of.size,
  places: uses.flatMap((use) => placeIn(part.of, 0, part.of.size, use)),
  countAt: part.kind === 'list' && before ? offsetIn(before.layout, part.count[0], before.at) : -1,
  namelenAt: part.kind === 'records' ? offsetIn(part.of, 'namelen', 0) : -1,
});

const compile = (
  parts: readonly Part[],
  uses: readonly IdUse[],
  start: number,
  session: Negotiated,
): IdMap => {
  const structs = standing(parts, start, session);
  const single = uses.filter(({ part, each }) => part === 'body' && each === undefined);
  const behind = parts[structs.length];
  const last = structs.at(-1);
  const each = behind?.kind === 'list' || behind?.kind === 'records' ? behind : undefined;
  const eachUses = uses.filter((use) => each !== undefined && use.each === each.field);
  return {
    isReply: false,
    places: [
      ...headerPlaces(uses, structs[0]?.layout),
      ...structs.flatMap(({ layout, at, size }) => single.flatMap((use) => placeIn(layout, at, size, use))),
    ],
    repeated:
      each === undefined || eachUses.length === 0
        ? undefined
        : repeatedIn(each, eachUses, last, last === undefined ? start : last.at + last.size),
  };
};

const sideOf = (uses: readonly IdUse[], side: IdUse['side']): IdUse[] =>
  uses.filter((use) => use.side === side);

/** Where the ids of an operation's requests are. */
export const requestIdMap = perSession((op: Operation, session: Negotiated) =>
  compile(op.request, sideOf(op.ids, 'request'), inHeader.size, session),
);
/** Where the ids of an operation's good replies are. */
export const replyIdMap = perSession((op: Operation, session: Negotiated) => ({
  ...compile(op.reply ?? [], sideOf(op.ids, 'reply'), outHeader.size, session),
  isReply: true,
}));
/** Where the ids of a notification are. */
export const notificationIdMap = perSession((op: Notification, session: Negotiated) =>
  compile(op.body, op.ids, outHeader.size, session),
);

const LOW = 0xffff_ffffn;
const isNone = (use: IdUse, bytes: Uint8Array, at: number): boolean =>
  use.none !== undefined &&
  u32At(bytes, at) === Number(use.none & LOW) &&
  u32At(bytes, at + 4) === Number(use.none >> 32n);

const visitPlace = (place: Place, bytes: Uint8Array, base: number, visit: IdVisitor): void => {
  const { use, when, countAt, generationAt } = place;
  const at = base + place.at;
  if (at + 8 > bytes.length) return;
  if (when !== undefined && !holds(when.condition, u32At(bytes, base + when.at))) return;
  if (isNone(use, bytes, at)) return;
  visit(use, at, countAt < 0 ? -1 : base + countAt, generationAt < 0 ? -1 : base + generationAt);
};

const nameIs = (bytes: Uint8Array, at: number, length: number, name: string): boolean =>
  length === name.length &&
  Array.from(name).every((letter, index) => bytes[at + index] === letter.charCodeAt(0));

const visitItem = (
  { places, size, namelenAt }: Repeated,
  bytes: Uint8Array,
  base: number,
  visit: IdVisitor,
): void => {
  for (const place of places) {
    const named = place.use.exceptNames?.some((name) =>
      nameIs(bytes, base + size, u32At(bytes, base + namelenAt), name),
    );
    if (named !== true) visitPlace(place, bytes, base, visit);
  }
};

const visitRepeated = (repeated: Repeated, bytes: Uint8Array, visit: IdVisitor): void => {
  const { start, size, countAt, namelenAt } = repeated;
  let left = countAt < 0 ? Number.POSITIVE_INFINITY : u32At(bytes, countAt);
  for (let base = start; left > 0 && base + size <= bytes.length; left--) {
    visitItem(repeated, bytes, base, visit);
    base += namelenAt < 0 ? size : recordSize(size + u32At(bytes, base + namelenAt));
  }
};

/**
 * Calls `visit` for each id in a frame, in the order of the wire but for the header's, which comes first. Ids that a flag
 * or a `none` value rules out are left out; a frame that is too short shows what it has.
 */
export const visitIds = (map: IdMap, bytes: Uint8Array, visit: IdVisitor): void => {
  if (map.isReply && errorOf(bytes) !== 0) return;
  for (const place of map.places) visitPlace(place, bytes, 0, visit);
  if (map.repeated !== undefined) visitRepeated(map.repeated, bytes, visit);
};

/** All ids in a frame, with their values. */
export const idSites = (map: IdMap, bytes: Uint8Array): IdSite[] => {
  const sites: IdSite[] = [];
  visitIds(map, bytes, (use, offset, countAt, generationAt) => {
    const count = countAt < 0 ? undefined : u64At(bytes, countAt);
    const generation = generationAt < 0 ? undefined : u64At(bytes, generationAt);
    sites.push({ use, offset, value: u64At(bytes, offset), count, generation });
  });
  return sites;
};

/** Takes the ids that a reply mints and binds them to the symbols of the recorded reply. It does not judge replies. */

import { bytesOf } from '../protocol/byte-string.js';
import { errorOf } from '../protocol/header.js';
import { type IdMap, replyIdMap, visitIds } from '../protocol/id-sites.js';
import type { Negotiated } from '../protocol/negotiated.js';
import type { IdUse } from '../protocol/operation.js';
import type { Bindings } from './bindings.js';
import type { Mint, Step } from './plan.js';
import { recordNameEnd, recordNameStart } from './record-name.js';

/** An id that the step has no mint for. */
export interface SurplusId {
  /** Byte in the reply where the u64 stands. */
  readonly offset: number;
  readonly use: IdUse;
}

/** How the ids of a reply differ from those of the recorded one, other than in their numbers. */
export interface Surprise {
  /** Symbols that the step mints and this reply did not; what uses them later is stale. */
  readonly missing: readonly number[];
  /** Ids that no step will use or give back. */
  readonly surplus: readonly SurplusId[];
}

const isMinted = (use: IdUse): boolean => use.kind === 'node' || use.kind === 'handle';

const nameAt = (bytes: Uint8Array, nodeidAt: number): string =>
  Buffer.from(
    bytes.buffer,
    bytes.byteOffset + recordNameStart(nodeidAt),
    Math.max(0, recordNameEnd(bytes, nodeidAt) - recordNameStart(nodeidAt)),
  ).toString('latin1');

/** What an id is told by within its reply: its use, and for directory records the name. */
const keyOf = (use: IdUse, bytes: Uint8Array, offset: number): IdUse | string =>
  use.each === undefined ? use : nameAt(bytes, offset);

/** The same for an expected id. */
const keyOfMint = ({ use, offset, name = '' }: Mint, recorded: Uint8Array | undefined): IdUse | string => {
  if (recorded !== undefined) return keyOf(use, recorded, offset);
  return use.each === undefined ? use : Buffer.from(bytesOf(name)).toString('latin1');
};

const idsIn = (reply: Uint8Array, map: IdMap): SurplusId[] => {
  const ids: SurplusId[] = [];
  if (errorOf(reply) === 0)
    visitIds(map, reply, (use, offset) => {
      if (isMinted(use)) ids.push({ use, offset });
    });
  return ids;
};

const sameName = (a: Uint8Array, atA: number, b: Uint8Array, atB: number): boolean => {
  const [start, end] = [recordNameStart(atA), recordNameEnd(a, atA)];
  const shift = recordNameStart(atB) - start;
  if (recordNameEnd(b, atB) - end !== shift) return false;
  for (let at = start; at < end; at++) if (a[at] !== b[at + shift]) return false;
  return true;
};

/** What a reply was expected to mint, and what it did. */
interface Minting {
  readonly mints: readonly Mint[];
  readonly recorded: Uint8Array | undefined;
  readonly ids: readonly SurplusId[];
  readonly reply: Uint8Array;
}

/** The common case, without a map: the ids of the recorded reply, in the same order. False when it is not so. */
const learnInOrder = ({ mints, recorded, ids, reply }: Minting, into: Bindings): boolean => {
  if (ids.length !== mints.length || recorded === undefined) return false;
  return ids.every(({ use, offset }, nth) => {
    const mint = mints[nth];
    if (mint?.use !== use) return false;
    if (use.each !== undefined && !sameName(recorded, mint.offset, reply, offset)) return false;
    into.take(mint.symbol, reply, offset);
    return true;
  });
};

const learnByKey = ({ mints, recorded, ids, reply }: Minting, into: Bindings): Surprise | undefined => {
  const expected = new Map<IdUse | string, Mint>();
  for (const mint of mints) expected.set(keyOfMint(mint, recorded), mint);
  const surplus = ids.filter(({ use, offset }) => {
    const key = keyOf(use, reply, offset);
    const mint = expected.get(key);
    if (mint === undefined) return true;
    expected.delete(key);
    into.take(mint.symbol, reply, offset);
    return false;
  });
  if (surplus.length === 0 && expected.size === 0) return undefined;
  return { missing: [...expected.values()].map(({ symbol }) => symbol), surplus };
};

/** Whether good replies can mint anything. */
const canMint = ({ places, repeated }: IdMap): boolean => places.length > 0 || repeated !== undefined;

/**
 * Binds what the reply to a step mints: fields of the same use, and directory records of the same name, whatever their
 * order. `session` is that of the incarnation that answered. Gives `undefined` when the reply minted what the recorded
 * one did, or the step expects, and nothing else.
 */
export const learn = (
  step: Step,
  reply: Uint8Array,
  bindings: Bindings,
  session: Negotiated,
): Surprise | undefined => {
  const map = step.op === undefined ? undefined : replyIdMap(step.op, session);
  if (map === undefined || !canMint(map)) return undefined;
  const { mints } = step;
  const ids = idsIn(reply, map);
  if (mints.length === 0 && ids.length === 0) return undefined;
  const minting = { mints, recorded: step.reply, ids, reply };
  return learnInOrder(minting, bindings) ? undefined : learnByKey(minting, bindings);
};

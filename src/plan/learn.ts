/** Takes the ids that a reply mints and binds them to the symbols of the recorded reply. It does not judge replies. */

import { bytesOf } from '../protocol/byte-string.js';
import { errorOf } from '../protocol/header.js';
import { replyIdMap, visitIds } from '../protocol/id-sites.js';
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

const idsIn = (reply: Uint8Array, step: Step, session: Negotiated): SurplusId[] => {
  const ids: SurplusId[] = [];
  if (step.op !== undefined)
    visitIds(replyIdMap(step.op, session), reply, (use, offset) => {
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

/** The common case, without a map: the ids of the recorded reply, in the same order. False when it is not so. */
const learnInOrder = (step: Step, reply: Uint8Array, ids: readonly SurplusId[], into: Bindings): boolean => {
  const { mints, reply: recorded } = step;
  if (ids.length !== mints.length || recorded === undefined) return false;
  return ids.every(({ use, offset }, nth) => {
    const mint = mints[nth];
    if (mint?.use !== use) return false;
    if (use.each !== undefined && !sameName(recorded, mint.offset, reply, offset)) return false;
    into.take(mint.symbol, reply, offset);
    return true;
  });
};

/** Whether good replies to a step can mint anything. */
const canMint = (step: Step, session: Negotiated): boolean => {
  if (step.op === undefined) return false;
  const { places, repeated } = replyIdMap(step.op, session);
  return places.length > 0 || repeated !== undefined;
};

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
  if (!canMint(step, session)) return undefined;
  const { mints, reply: recorded } = step;
  const ids = errorOf(reply) === 0 ? idsIn(reply, step, session) : [];
  if (mints.length === 0 && ids.length === 0) return undefined;
  if (learnInOrder(step, reply, ids, bindings)) return undefined;
  const expected = new Map<IdUse | string, Mint>();
  for (const mint of mints) expected.set(keyOfMint(mint, recorded), mint);
  const surplus = ids.filter(({ use, offset }) => {
    const key = keyOf(use, reply, offset);
    const mint = expected.get(key);
    if (mint === undefined) return true;
    expected.delete(key);
    bindings.take(mint.symbol, reply, offset);
    return false;
  });
  if (surplus.length === 0 && expected.size === 0) return undefined;
  return { missing: [...expected.values()].map(({ symbol }) => symbol), surplus };
};

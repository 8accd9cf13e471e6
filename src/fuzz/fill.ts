/** Writes the numbers of a life into a request: ids, the unique, and what was made from either. */

import { putPair } from '../kernel/wire.js';
import type { Bindings } from '../plan/bindings.js';
import { shiftAt } from '../plan/shift.js';
import { UNIQUE_AT } from '../protocol/header.js';
import type { CaseRequest } from './case.js';

const RESENT = 0x8000_0000;
const INTERRUPTS = 1;

/** The unique of a request by its number in the life, without bit 63. Even; 0 is none. */
export const uniqueLow = (number: number): number => number * 2;

/**
 * Fills `into` with the frame and gives its length. `numberOf` tells the number of a request of the same case, by its index,
 * for those that repeat it or interrupt it.
 */
export const fillRequest = (
  { bytes, patches, resent }: CaseRequest,
  { into, number, bindings, numberOf }: FillOrders,
): number => {
  into.set(bytes);
  let unique = uniqueLow(number);
  for (const patch of patches) {
    if (patch.kind === 'symbol') {
      bindings.write(patch.symbol, into, patch.offset);
      if (patch.shift !== undefined) shiftAt(into, patch.offset, patch.shift);
    } else if (patch.step !== undefined && patch.offset !== UNIQUE_AT) {
      const target = uniqueLow(numberOf(patch.step));
      putPair(into, patch.offset, target, 0);
      unique = target | INTERRUPTS;
    }
  }
  // Frames that are cut short have no room for one.
  if (bytes.length >= UNIQUE_AT + 8) putPair(into, UNIQUE_AT, unique, resent ? RESENT : 0);
  return bytes.length;
};

/** The frame of a request by itself, with the numbers that are bound now. */
export const filled = (request: CaseRequest, bindings: Bindings): Uint8Array => {
  const into = new Uint8Array(request.bytes.length);
  fillRequest(request, { into, number: 1, bindings, numberOf: () => 1 });
  return into;
};

/** Where to, and with which numbers. */
export interface FillOrders {
  readonly into: Uint8Array;
  /** Of the request in its life, or of the one that it repeats. */
  readonly number: number;
  readonly bindings: Bindings;
  readonly numberOf: (index: number) => number;
}

/** Numbers near an id or a few bits away from it. It does not know which id, nor why. */

import { putU64At, u64At } from '../protocol/raw.js';
import type { Shift } from './plan.js';

/** The number that a shift makes from another, modulo 2^64. */
export const shifted = (value: bigint, { add, flip }: Shift): bigint =>
  BigInt.asUintN(64, value + add) ^ BigInt.asUintN(64, flip);

/** Shifts the u64 at an offset of a frame in place. */
export const shiftAt = (bytes: Uint8Array, at: number, shift: Shift): void =>
  putU64At(bytes, at, shifted(u64At(bytes, at), shift));

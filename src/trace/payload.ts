/** Which bytes of a frame are contents (file data, attribute values), and cutting them away as a payload mode says. */

import type { PayloadMode } from './context.js';

/** A frame of which only the first bytes are kept. */
export interface PayloadCut {
  /** Bytes kept. */
  readonly kept: number;
  readonly wireLength: number;
  readonly digest?: Uint8Array;
}

/** Decides how much of each frame is kept; `undefined` when all of it. */
export const payloadCutter =
  (_mode: PayloadMode) =>
  (_toKernel: boolean, _bytes: Uint8Array, _op: number): PayloadCut | undefined =>
    undefined;

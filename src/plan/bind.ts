/** Makes the requests of a plan for the incarnation at hand. It sends nothing, and knows nothing of what comes back. */

import { UNIQUE_INTERRUPT } from '../protocol/flags.js';
import { setUnique } from '../protocol/header.js';
import { putU64At } from '../protocol/raw.js';
import type { Bindings } from './bindings.js';
import type { Step } from './plan.js';
import { isOwnUnique } from './repeat.js';
import { shiftAt } from './shift.js';

/**
 * Writes a step's request with the bound ids and the given unique, and gives its length in bytes. `into` must have room
 * for the template. An INTERRUPT gets the unique of its target with bit 0 set, as the kernel does, and names the target by
 * it (fuse_read_interrupt, fs/fuse/dev.c). A step that repeats the unique of another gets that one as `unique`. Lock owners,
 * poll handles and directory positions stay as recorded.
 */
export const bindRequest = (step: Step, bindings: Bindings, unique: bigint, into: Uint8Array): number => {
  const { template } = step;
  into.set(template);
  setUnique(into, unique);
  for (const patch of step.patches) {
    if (patch.kind === 'symbol') {
      bindings.write(patch.symbol, into, patch.offset);
      if (patch.shift !== undefined) shiftAt(into, patch.offset, patch.shift);
    } else if (!isOwnUnique(patch)) putU64At(into, patch.offset, unique & ~UNIQUE_INTERRUPT);
  }
  return template.length;
};

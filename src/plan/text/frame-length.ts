/** Length of a frame whose sender chose how much of a struct to send; of all others it follows from their fields. */

import type { Fields } from '../../protocol/layout.js';
import { struct } from '../../protocol/layout.js';
import { body } from '../../protocol/parts.js';

/** `frameLength=N`: bytes of the whole frame, where they must be told. */
export const frameLength = body(struct('frame', { frameLength: 'u32' }));

/** The length that was told; `undefined` when none was. */
export const lengthTold = ({ frameLength: told }: Fields): number | undefined =>
  typeof told === 'number' && told !== 0 ? told : undefined;

const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/**
 * The length to tell of a frame, 0 for none. `encode` makes it from its fields, with a length or without; `undefined` when
 * neither gives the same bytes.
 */
export const lengthToTell = (
  bytes: Uint8Array,
  encode: (length: { readonly len?: number }) => Uint8Array,
): number | undefined => {
  if (isSame(encode({}), bytes)) return 0;
  return isSame(encode({ len: bytes.length }), bytes) ? bytes.length : undefined;
};

/** A place in a frame that is being decoded, and what can be wrong there. Nothing here throws or reads outside. */

import type { Fields } from './layout.js';

/**
 * What is wrong with bytes.
 * - `short`: a field would end after the frame.
 * - `leftOver`: the frame goes on after its last field.
 * - `length`: the header says another length than the frame has.
 * - `unterminated`: a name lacks its NUL.
 * - `extension`: a request extension says that it is longer or shorter than it can be.
 */
export type DecodeReason = 'short' | 'leftOver' | 'length' | 'unterminated' | 'extension';

/** Where decoding stopped: `offset` from the start of the frame, `need` bytes wanted there, `have` bytes left there. */
export interface Problem {
  readonly reason: DecodeReason;
  readonly offset: number;
  readonly need: number;
  readonly have: number;
}

/** Frame, place and limits while one message is read. */
export interface Cursor {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Offset of the next unread byte. */
  at: number;
  /** Offset after the last byte that belongs to the body. */
  readonly end: number;
  /** The recorder dropped the end of the payload; a payload may then be shorter than the message says. */
  readonly cut: boolean;
  /** Fields of the request while its reply is read. */
  readonly request: Fields;
}

/** The problem that `need` bytes are wanted at the cursor's place (or at `offset`) and fewer are there. */
export const short = (cursor: Cursor, need: number, offset = cursor.at): Problem => ({
  reason: 'short',
  offset,
  need,
  have: cursor.end - offset,
});

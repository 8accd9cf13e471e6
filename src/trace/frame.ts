/** One message of the FUSE device as a trace keeps it: raw bytes and where they stood. Knows nothing of what they mean. */

/** Which way a frame went: requests go to the server, replies and notifications to the kernel. */
export type Direction = 'toServer' | 'toKernel';

/** A frame of a trace. */
export interface Frame {
  /** Position in the whole recording, from 0; lost frames have numbers too, so a gap is a loss. */
  readonly seq: number;
  /** When it was read from its sender, in nanoseconds since 1970. */
  readonly timeNs: bigint;
  readonly direction: Direction;
  /** Which start of the server it was sent to or came from, from 0. */
  readonly incarnation: number;
  /** What was stored: all of it, or its beginning when contents were cut. */
  readonly bytes: Uint8Array;
  /** Bytes on the wire; more than `bytes.length` when contents were cut. */
  readonly length: number;
  /** SHA-256 of the bytes cut away, with payload mode `hash`. */
  readonly digest?: Uint8Array;
}

/** The frame at its length on the wire: bytes that were cut away are zeroes. The same array when nothing was cut. */
export const wireBytes = (frame: Pick<Frame, 'bytes' | 'length'>): Uint8Array => {
  if (frame.bytes.length >= frame.length) return frame.bytes;
  const whole = new Uint8Array(frame.length);
  whole.set(frame.bytes);
  return whole;
};

/** The fixed points of the .rlt file: magic, version, limits, kinds of record. What the fields mean is in proto/trace.proto. */

/** First bytes of every trace; the line ends and the control character show a file that a text-mode transfer changed. */
export const MAGIC: Uint8Array = Uint8Array.of(0x89, 0x52, 0x4c, 0x54, 0x0d, 0x0a, 0x1a, 0x0a);

/** The version this relight writes, and the newest that it reads. */
export const FORMAT_VERSION = 1;

/** Bytes of a frame that are stored at most; longer ones are cut. The kernel's own limit (max_pages 65535) is never met in practice. */
export const MAX_FRAME_BYTES = 32 << 20;

/** Bytes that a cut frame may have had on the wire: 65535 pages of 4 KiB and headers. */
export const MAX_WIRE_BYTES = 257 << 20;

/** Bytes of a Frames message at most: bounds what a reader allocates for one block, whatever the file claims. */
export const MAX_RAW_BLOCK = 64 << 20;

/** Bytes of a record at most; a larger length is damage. */
export const MAX_RECORD = MAX_RAW_BLOCK + (1 << 20);

/** Frames in a block at most. */
export const MAX_BLOCK_FRAMES = 1 << 16;

/** Bytes of a whole Trailer record. */
export const TRAILER_BYTES = 35;

/** Kind of a record: field number of the oneof in `Envelope`. */
export const Kind = {
  header: 3,
  mount: 4,
  incarnationStart: 5,
  init: 6,
  maps: 7,
  incarnationEnd: 8,
  block: 9,
  index: 10,
  end: 11,
  trailer: 12,
} as const;

/** Number of a kind of record. */
export type Kind = (typeof Kind)[keyof typeof Kind];

/** Opcode under which `BlockHead.ops` counts replies to requests that nobody saw. */
export const OP_UNPAIRED = 0xffff;

/** Added to a notification's code in `BlockHead.ops`. */
export const OP_NOTIFY = 0x10000;

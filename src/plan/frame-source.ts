/** Reads single frames of an open trace again, so that a plan need not hold all contents. Knows no messages. */

import { RelightError } from '../base/error.js';
import type { BlockInfo } from '../trace/block-head.js';
import type { Frame } from '../trace/frame.js';

/** The part of an open trace that frames are read from. */
export interface FrameBlocks {
  /** In rising order of sequence numbers. */
  readonly blocks: readonly BlockInfo[];
  framesOf(block: BlockInfo): readonly Frame[];
}

/** Blocks kept unpacked: steps are taken in order, and what is in flight together was recorded close by. */
const KEPT_BLOCKS = 8;

/** Frames by sequence number. The trace must stay open. */
export class FrameSource {
  readonly #trace: FrameBlocks;
  readonly #unpacked = new Map<BlockInfo, readonly Frame[]>();

  constructor(trace: FrameBlocks) {
    this.#trace = trace;
  }

  /** Recorded bytes of a frame. Throws a RelightError when the trace does not have it any more. */
  bytesOf(seq: number): Uint8Array {
    const block = this.#blockOf(seq);
    const frames = block === undefined ? [] : this.#framesOf(block);
    const guess = frames[seq - (frames[0]?.seq ?? 0)];
    const frame = guess?.seq === seq ? guess : frames.find((one) => one.seq === seq);
    if (frame !== undefined) return plain(frame.bytes);
    throw new RelightError('environment', `frame ${seq} of the trace cannot be read again`, {
      remedy: 'leave the trace alone while it is in use',
    });
  }

  #blockOf(seq: number): BlockInfo | undefined {
    const { blocks } = this.#trace;
    let from = 0;
    for (let to = blocks.length; to - from > 1; ) {
      const middle = (from + to) >>> 1;
      if ((blocks[middle]?.firstSeq ?? 0) <= seq) from = middle;
      else to = middle;
    }
    return blocks[from];
  }

  #framesOf(block: BlockInfo): readonly Frame[] {
    const known = this.#unpacked.get(block);
    if (known !== undefined) return known;
    const frames = this.#trace.framesOf(block);
    for (const oldest of this.#unpacked.keys()) {
      if (this.#unpacked.size < KEPT_BLOCKS) break;
      this.#unpacked.delete(oldest);
    }
    this.#unpacked.set(block, frames);
    return frames;
  }
}

/** Not a Buffer, whose `slice` is no copy. */
const plain = ({ buffer, byteOffset, length }: Uint8Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, length);

/**
 * Puts messages together that splice(2) cut into packets on their way into a socket. The packets of one message are not
 * sent in one go, so whole messages of a server's other threads may stand between them. Knows the header's length and error.
 */

const OUT_HEADER = 16;
/** splice(2) cuts a reply into packets of whole pages, the first with the header before them (splice_to_socket). */
const PAGE = 4096;
/** Errors that a kernel takes lie above the negative of this (fuse_dev_do_write). */
const LEAST_NO_ERROR = 512;

/** At most one message in pieces: those of two threads that splice at once cannot be told apart. */
export class Reassembler {
  /** Where pieces are kept; the next packet may be read straight to `have`. */
  readonly buffer: Uint8Array;
  readonly #longest: number;
  #have = 0;
  #whole = 0;

  /** longest: bytes of the longest message. A buffer twice as long has room for one behind the pieces of another. */
  constructor(buffer: Uint8Array, longest = buffer.length) {
    this.buffer = buffer;
    this.#longest = longest;
  }

  /** Bytes of a message whose other packets are still to come; 0 when there is none. */
  get have(): number {
    return this.#have;
  }

  /** The message that a packet is or completes, valid until the next packet is read; `undefined` when more is to come. */
  take(packet: Uint8Array): Uint8Array | undefined {
    if (this.#have === 0) return this.#isFirstPiece(packet) ? this.#begin(packet) : packet;
    return this.#isNextPiece(packet) ? this.#add(packet) : packet;
  }

  /** What there is of a message whose rest does not come. */
  giveUp(): Uint8Array {
    const partial = this.buffer.subarray(0, this.#have);
    this.#have = 0;
    return partial;
  }

  #isFirstPiece(packet: Uint8Array): boolean {
    if (packet.length < PAGE || packet.length % PAGE !== OUT_HEADER) return false;
    const claimed = u32(packet, 0);
    return claimed > packet.length && claimed <= this.#longest;
  }

  /** Whether a packet can be a piece by its size, and does not look like a message of its own. */
  #isNextPiece(packet: Uint8Array): boolean {
    const left = this.#whole - this.#have;
    const fits = packet.length === left || (packet.length < left && packet.length % PAGE === 0);
    return fits && !looksWhole(packet);
  }

  #begin(packet: Uint8Array): undefined {
    this.#whole = u32(packet, 0);
    this.#keep(packet);
  }

  #add(packet: Uint8Array): Uint8Array | undefined {
    this.#keep(packet);
    return this.#have < this.#whole ? undefined : this.giveUp();
  }

  #keep(packet: Uint8Array): void {
    const isInPlace =
      packet.buffer === this.buffer.buffer && packet.byteOffset === this.buffer.byteOffset + this.#have;
    if (!isInPlace) this.buffer.set(packet, this.#have);
    this.#have += packet.length;
  }
}

const u32 = (bytes: Uint8Array, at: number): number =>
  new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);

const looksWhole = (packet: Uint8Array): boolean => {
  if (packet.length < OUT_HEADER || u32(packet, 0) !== packet.length) return false;
  const error = u32(packet, 4) | 0;
  // No kernel counts requests up to 2^53; the topmost bit marks one that was sent again.
  const isUnique = (u32(packet, 12) & 0x7fff_ffff) < 2 ** 21;
  return isUnique && error <= 0 && error > -LEAST_NO_ERROR;
};

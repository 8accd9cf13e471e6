/** Our end of a channel for a driver that sends requests and takes replies: non-blocking, one message a packet. */

import { Errno } from '../base/errno.js';
import { close, fcntl, POLLIN, POLLOUT, PollSet, read, write } from './libc.js';

const F_SETFL = 4;
const O_NONBLOCK = 0o4000;
const OUT_HEADER = 16;
/** splice(2) cuts a reply into packets of whole pages, the first with the header before them. */
const PAGE = 4096;

/** How a look at the channel ended. */
export type Reception = 'empty' | 'closed';

/** A channel in use. Close it when the server is done with. */
export class Connection {
  readonly #fd: number;
  readonly #poll: PollSet;
  readonly #buffer: Uint8Array;
  readonly #view: DataView;
  /** Bytes of a message whose other packets are still to come. */
  #partial = 0;

  /** maxMessage: bytes of the largest message that can come. */
  constructor(fd: number, maxMessage: number) {
    this.#fd = fd;
    this.#poll = new PollSet([fd]);
    this.#buffer = new Uint8Array(maxMessage);
    this.#view = new DataView(this.#buffer.buffer);
    fcntl(fd, F_SETFL, O_NONBLOCK);
  }

  /** Sends one message; `full` when the server must read first, `closed` when nobody will. */
  send(bytes: Uint8Array, length = bytes.length): 'sent' | 'full' | 'closed' {
    const result = write(this.#fd, bytes, length);
    if (result === -Errno.EAGAIN) return 'full';
    return result < 0 ? 'closed' : 'sent';
  }

  /**
   * Gives up to `limit` messages that are there to `take`, whose argument is valid only during the call. `empty` when no
   * more is there now or the limit is reached.
   */
  receive(take: (message: Uint8Array) => void, limit: number): Reception {
    for (let taken = 0; taken < limit; ) {
      const length = read(this.#fd, this.#room(), this.#buffer.length - this.#partial);
      if (length === -Errno.EAGAIN || length === -Errno.EINTR) return 'empty';
      if (length <= 0) return 'closed';
      if (this.#isCut(length)) continue;
      const whole = this.#partial + length;
      this.#partial = 0;
      take(this.#buffer.subarray(0, whole));
      taken++;
    }
    return 'empty';
  }

  /** Waits until there is something to receive (or, if wanted, room to send); false after the time-out. */
  wait(timeoutMs: number, forRoom = false): boolean {
    this.#poll.set(0, this.#fd, forRoom ? POLLIN | POLLOUT : POLLIN);
    return this.#poll.wait(timeoutMs) > 0;
  }

  /** Closes our end: the server sees end of file. */
  close(): void {
    close(this.#fd);
  }

  #room(): Uint8Array {
    return this.#partial === 0 ? this.#buffer : this.#buffer.subarray(this.#partial);
  }

  /** Whether the packet just read is a piece of a longer message; then it is kept. */
  #isCut(length: number): boolean {
    const have = this.#partial + length;
    if (have < PAGE || have % PAGE !== OUT_HEADER) return false;
    const claimed = this.#view.getUint32(0, true);
    if (claimed <= have || claimed > this.#buffer.length) return false;
    this.#partial = have;
    return true;
  }
}

/** Our end of a channel for a driver that sends requests and takes replies, one message a packet: waits only when told to. */

import { Errno } from '../base/errno.js';
import { isTooLong } from './channel.js';
import { addressOf, close, limitReceiving, POLLIN, POLLOUT, PollSet, receive, sendNow } from './libc.js';
import { Reassembler } from './reassembler.js';

/** Longest that one look at the channel waits. */
export const PATIENCE_MS = 20;

/** How a look at the channel ended. */
export type Reception = 'taken' | 'empty' | 'closed';

/** How sending a message ended. */
export type Dispatch =
  | 'sent'
  /** The server must read first: send it again when there is room. */
  | 'full'
  /** The channel never passes so long a message (an unprivileged user's socket buffer is small): it was not sent. */
  | 'tooLong'
  /** Nobody will read any more. */
  | 'closed';

/** Told a message, which is valid only during the call; says whether another one is wanted at once. */
export type Taker = (message: Uint8Array) => boolean;

/** A channel in use. Close it when the server is done with. */
export class Connection {
  readonly #fd: number;
  readonly #poll: PollSet;
  readonly #buffer: Uint8Array;
  readonly #address: number;
  readonly #pieces: Reassembler;

  /** maxMessage: bytes of the largest message that can come. A `buffer` of that size may be lent. */
  constructor(fd: number, maxMessage: number, buffer?: Uint8Array) {
    this.#fd = fd;
    this.#poll = new PollSet([fd]);
    this.#buffer = buffer?.length === maxMessage ? buffer : new Uint8Array(maxMessage);
    this.#address = addressOf(this.#buffer);
    this.#pieces = new Reassembler(this.#buffer);
    limitReceiving(fd, PATIENCE_MS);
  }

  /** Where messages are received; it may be lent to the next connection. */
  get buffer(): Uint8Array {
    return this.#buffer;
  }

  /** Sends one message, without waiting. */
  send(bytes: Uint8Array, length = bytes.length): Dispatch {
    const result = sendNow(this.#fd, bytes, length);
    if (result >= 0) return 'sent';
    if (result === -Errno.EAGAIN) return 'full';
    return isTooLong(-result) ? 'tooLong' : 'closed';
  }

  /**
   * Gives the next message to `take`, and those that are there already as long as it returns true. It is waited for up to
   * `waitMs`, at most `PATIENCE_MS`; with `forRoom` also until there is room to send.
   */
  receive(take: Taker, waitMs: number, forRoom = false): Reception {
    // Receiving waits by itself as long as it may: one system call for a message, where poll would make it two.
    const isPatient = waitMs >= PATIENCE_MS && !forRoom;
    if (!isPatient && waitMs > 0) this.wait(waitMs, forRoom);
    let reception = this.#next(take, isPatient);
    if (reception === 'empty') return reception;
    while (reception === 'more') reception = this.#next(take, false);
    return reception === 'closed' ? 'closed' : 'taken';
  }

  #next(take: Taker, isPatient: boolean): Reception | 'more' {
    for (;;) {
      const at = this.#pieces.have;
      const length = receive(this.#fd, this.#address + at, this.#buffer.length - at, isPatient);
      if (length === -Errno.EAGAIN || length === -Errno.EINTR) return 'empty';
      // The server closed with requests unread; the replies that it sent before come after this error.
      if (length === -Errno.ECONNRESET) continue;
      if (length <= 0) return 'closed';
      const message = this.#pieces.take(this.#buffer.subarray(at, at + length));
      if (message !== undefined) return take(message) ? 'more' : 'taken';
    }
  }

  /** Waits until there is something to receive (or, if wanted, room to send); false after the time-out. */
  wait(timeoutMs: number, forRoom = false): boolean {
    this.#poll.set(0, this.#fd, forRoom ? POLLIN | POLLOUT : POLLIN);
    return this.#poll.wait(Math.floor(timeoutMs)) > 0;
  }

  /** Closes our end: the server sees end of file. */
  close(): void {
    close(this.#fd);
  }
}

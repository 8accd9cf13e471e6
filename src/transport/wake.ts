/** A wake-up for a thread that waits in poll: the named unblocker of every waiting thread in relight. */

import { close, eventfd, POLLIN, PollSet, read, write } from './libc.js';

const one = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);

/** Makes the descriptor of a wake-up; any thread of this process may use it. */
export const openWake = (): number => eventfd();
/** Wakes whoever polls the descriptor, now or at its next wait. */
export const wake = (fd: number): void => {
  write(fd, one, 8);
};
/** Takes the wake-ups so far; call after poll found the descriptor ready. */
export const takeWake = (fd: number): void => {
  read(fd, new Uint8Array(8), 8);
};
/** Closes the descriptor. */
export const closeWake = (fd: number): void => {
  close(fd);
};

/** Waits until a descriptor is readable; false after the time-out. */
export const waitReadable = (fd: number, timeoutMs: number): boolean => {
  const set = new PollSet([fd]);
  return set.wait(timeoutMs) > 0 && (set.ready(0) & POLLIN) !== 0;
};

/** Who waits for which file to become ready. A file is readable once it has bytes, and always writable. */

import { type Inode, sizeOf } from '../store/inode.js';
import type { Server } from './server.js';

const POLLIN = 0x41;
const POLLOUT = 0x104;

/** Events (poll.h) for which a file is ready: data to read (POLLIN, POLLRDNORM), room to write (POLLOUT, POLLWRNORM). */
export const readyEvents = (inode: Inode): number => (sizeOf(inode) > 0 ? POLLIN | POLLOUT : POLLOUT);

/** Sends NOTIFY_POLL to all who wait for this file and can go on now. */
export const wakePolls = (server: Server, inode: Inode): void => {
  if (server.polls.length === 0) return;
  const ready = readyEvents(inode);
  const woken = server.polls.filter((poll) => poll.inode === inode && (poll.events & ready) !== 0);
  server.polls = server.polls.filter((poll) => !woken.includes(poll));
  for (const { kh } of woken) server.notify('POLL', { kh });
};

/** Handlers of what files hardly ever do: ioctl, poll, block maps. */

import { PollFlag } from '../../../protocol/flags.js';
import type { Inode } from '../../store/inode.js';
import { refuse } from '../../store/refusal.js';
import { type Handler, onHandle, onNode } from '../handler.js';
import { readyEvents } from '../polls.js';

const word = (size: 4 | 8, value: number): Uint8Array => {
  const out = Buffer.alloc(size);
  out.writeUInt32LE(value);
  return out;
};

/** What the ioctls that we know answer (uapi/linux/fs.h): no flags, no project, the generation. */
const ioctls: Readonly<Record<number, (inode: Inode) => Uint8Array>> = {
  /** FS_IOC_GETFLAGS */
  2148034049: () => word(4, 0),
  /** FS_IOC_FSGETXATTR */
  2149341215: () => new Uint8Array(28),
  /** FS_IOC_GETVERSION */
  2148038145: (inode) => word(8, inode.generation),
};

export const IOCTL: Handler<'IOCTL'> = onHandle(({ fields: { cmd, outSize } }, { inode }) => {
  const out = ioctls[cmd]?.(inode);
  if (out === undefined) return refuse('ENOTTY');
  return { out: out.subarray(0, outSize) };
});

export const POLL: Handler<'POLL'> = onHandle(({ server, fields }, { inode }) => {
  const { kh, flags, events } = fields;
  const revents = readyEvents(inode) & events;
  if (revents === 0 && (flags & PollFlag.SCHEDULE_NOTIFY) !== 0)
    server.polls = [...server.polls.filter((poll) => poll.kh !== kh), { inode, kh, events }];
  return { revents };
});

/** There is no device beneath. */
export const BMAP: Handler<'BMAP'> = onNode(() => refuse('ENOSYS'));
export const SETUPMAPPING: Handler<'SETUPMAPPING'> = () => refuse('ENOSYS');
export const REMOVEMAPPING: Handler<'REMOVEMAPPING'> = () => refuse('ENOSYS');
export const CUSE_INIT: Handler<'CUSE_INIT'> = () => refuse('ENOSYS');

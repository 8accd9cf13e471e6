/** Replies that the real kernel would not take, as values: what is wrong, who refuses, and what each side then sees. */

import { Errno } from '../base/errno.js';

/**
 * What is wrong with a message from the server. Refused by the device (`write` on /dev/fuse fails):
 * - `short`: no room for a header; `length`: the header tells another length than was written
 * - `error`: not in (-512, 0]; `bodyOnError`: more than a header with an error; `long`, `cut`: a good reply's body too
 *   long, or too short and not of variable length
 * - `unknownUnique`: no such request; `answered`: it had its reply before; `unawaited`: it takes none
 * - `notification`: unknown code, or a body of the wrong length
 *
 * Refused by the caller (the system call gets EIO, the server never learns):
 * - `nodeid`: 0 or the root where a node was made; `root`: the root as the child of a directory
 * - `attr`: no valid file type, or a size above 2^63 - 1; `type`: another type than asked for, or than the node had
 * - `loop`: a directory that would lie in itself
 * - `dirent`: a directory record whose name is empty, too long or holds a slash
 * - `init`: an answer to INIT that ends the connection
 * - `count`: more bytes written than asked; `lock`: an impossible lock
 *
 * Taken, with a warning in the kernel's log: `rootGeneration`.
 */
export type RefusalReason =
  | 'short'
  | 'length'
  | 'error'
  | 'bodyOnError'
  | 'long'
  | 'cut'
  | 'unknownUnique'
  | 'answered'
  | 'unawaited'
  | 'notification'
  | 'nodeid'
  | 'root'
  | 'attr'
  | 'type'
  | 'loop'
  | 'dirent'
  | 'count'
  | 'lock'
  | 'init'
  | 'rootGeneration';

/** A reply that is `malformed` in the sense of the verdicts, with the evidence. */
export interface Refusal {
  readonly reason: RefusalReason;
  /** Kernel function that refuses. */
  readonly where: string;
  /** `device`: the server's write fails with `errno`. `caller`: the application gets `errno`. `nobody`: only a warning. */
  readonly by: 'device' | 'caller' | 'nobody';
  /** Positive errno that the refused side sees; 0 for a warning. */
  readonly errno: number;
}

/** The server's write to the device fails. */
export const byDevice = (
  reason: RefusalReason,
  errno: number = Errno.EINVAL,
  where = 'fuse_dev_do_write',
): Refusal => ({ reason, where, by: 'device', errno });

/** The write succeeds and the application gets EIO. */
export const byCaller = (reason: RefusalReason, where: string, errno: number = Errno.EIO): Refusal => ({
  reason,
  where,
  by: 'caller',
  errno,
});

/** Nobody refuses, the kernel only warns. */
export const warned = (reason: RefusalReason, where: string): Refusal => ({
  reason,
  where,
  by: 'nobody',
  errno: 0,
});

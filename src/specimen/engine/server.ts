/** What an incarnation of the server consists of, and what a handler may do besides answering. */

import type { FileHandle, NodeId, Unique } from '../../base/ids.js';
import type { Draft } from '../../protocol/encode.js';
import type { Negotiated } from '../../protocol/negotiated.js';
import type { NotificationFields, NotificationName } from '../../protocol/notifications.js';
import type { Handle, Handles } from '../handles/handles.js';
import type { HandleCheck } from '../handles/policies.js';
import type { NodeIds } from '../ids/node-ids.js';
import type { UnknownNode } from '../ids/policies.js';
import type { Inode, Time } from '../store/inode.js';
import { isRefusal, type Refusal, refuse } from '../store/refusal.js';
import { type Directory, isDirectory, type Store } from '../store/store.js';
import type { Locks } from './locks.js';

/** Whether a request that the kernel sends again is done again. */
export type Resent = 'repeat' | 'recall';

/** How the server answers, whatever the request. */
export interface Manner {
  readonly unknownNode: UnknownNode;
  readonly handleCheck: HandleCheck;
  /** Seconds that the kernel may believe a name, attributes, and that a name is missing; 0 asks each time. */
  readonly entryTimeoutS: number;
  readonly attrTimeoutS: number;
  readonly negativeTimeoutS: number;
  /** What a request that is sent again meets: a server that does it again, or one that recalls what it answered. */
  readonly resent: Resent;
  /** Newest minor that INIT is answered with. */
  readonly minor: number;
  /** Bytes. */
  readonly maxWrite: number;
}

/** Somebody who wants NOTIFY_POLL when the file becomes ready for `events`. */
export interface PollWaiter {
  readonly inode: Inode;
  readonly kh: bigint;
  readonly events: number;
}

/** One incarnation. */
export interface Server {
  readonly manner: Manner;
  readonly store: Store;
  readonly nodes: NodeIds;
  readonly handles: Handles;
  readonly locks: Locks;
  /** Poll handles that were not woken yet. */
  polls: readonly PollWaiter[];
  /** Before INIT `undefined`. */
  negotiated: Negotiated | undefined;
  now(): Time;
  /** Answers a request that waited; leaves after the reply to the current one. `errno` 0 is success without a body. */
  answerLater(unique: Unique, errno: number): void;
  /** Sends a notification after the reply to the current request. */
  notify<N extends NotificationName>(name: N, fields: Draft<NotificationFields<N>>): void;
  /** Ends the server as a failed assertion does, after a line on standard error. */
  die(message: string): never;
}

/** The node that a nodeid means; ESTALE, or the end of the server, when the policy knows that it means none. */
export const nodeOf = (server: Server, nodeid: NodeId): Inode | Refusal => {
  const inode = server.nodes.find(nodeid);
  if (inode !== undefined) return inode;
  if (server.manner.unknownNode === 'abort') server.die(`node ${nodeid} not found`);
  return refuse('ESTALE');
};

/** The directory that a nodeid means; ENOTDIR. */
export const directoryOf = (server: Server, nodeid: NodeId): Directory | Refusal => {
  const inode = nodeOf(server, nodeid);
  if (isRefusal(inode)) return inode;
  return isDirectory(inode) ? inode : refuse('ENOTDIR');
};

/** The open file that a handle means, with as much care as the manner says; EBADF. */
export const handleOf = (server: Server, fh: FileHandle, nodeid: NodeId): Handle | Refusal => {
  const check = server.manner.handleCheck;
  const inode = check === 'none' ? undefined : nodeOf(server, nodeid);
  if (isRefusal(inode)) return inode;
  const handle = server.handles.find(fh, inode);
  if (handle === undefined) return refuse('EBADF');
  return check === 'match' && handle.inode !== inode ? refuse('EBADF') : handle;
};

/** Most bytes that READ and READDIR answer with: the kernel never asks for more than it writes, or than 128 KiB. */
export const replyLimit = ({ manner }: Server): number => Math.max(manner.maxWrite, 1 << 17);

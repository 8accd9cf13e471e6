/**
 * Notifications on demand, so that tests can record every kind: `setfattr -n user.memfs.notify -v ORDER FILE` makes the
 * server answer the request and then send what was ordered about that file or directory.
 */

import { type NodeId, unique } from '../../base/ids.js';
import { textOf } from '../../protocol/byte-string.js';
import { InvalEntryFlag } from '../../protocol/flags.js';
import { type NotificationName, notificationNamed } from '../../protocol/notifications.js';
import { read } from '../store/data.js';
import type { Inode } from '../store/inode.js';
import { lookup } from '../store/names.js';
import { isRefusal, type Refusal, refuse } from '../store/refusal.js';
import { isDirectory } from '../store/store.js';
import type { Server } from './server.js';

/** The attribute that takes orders. */
export const NOTIFY_XATTR = 'user.memfs.notify';

/** What an order is about. */
export interface Subject {
  readonly inode: Inode;
  /** As the kernel knows it. */
  readonly nodeid: NodeId;
}

interface Order {
  /** The notification that it sends. */
  readonly sends: NotificationName;
  readonly send: (server: Server, subject: Subject, words: readonly string[]) => Refusal | undefined;
}

const number = (word: string | undefined, otherwise: bigint): bigint =>
  word !== undefined && /^-?\d{1,18}$/.test(word) ? BigInt(word) : otherwise;

const childOf = (server: Server, { inode }: Subject, name: string): bigint => {
  const child = isDirectory(inode) ? lookup(server.store, { directory: inode, name }) : undefined;
  const known = child === undefined || isRefusal(child) ? undefined : server.nodes.numberOf(child);
  // A name that is gone may still be cached: its node is unknown then, and 0 means none.
  return known ?? 0n;
};

const entryOrder =
  (flags: number): Order['send'] =>
  (server, { nodeid }, [name = '']) => {
    server.notify('INVAL_ENTRY', { parent: nodeid, flags, name });
    return undefined;
  };

/** Orders by their first word; the others are its arguments. */
const orders: Readonly<Record<string, Order>> = {
  /** `inval-inode [OFFSET [LENGTH]]`: all data by default; a negative offset means attributes only. */
  'inval-inode': {
    sends: 'INVAL_INODE',
    send: (server, { nodeid }, [offset, length]) => {
      server.notify('INVAL_INODE', { ino: nodeid, off: number(offset, 0n), len: number(length, 0n) });
      return undefined;
    },
  },
  /** `inval-entry NAME`, of a directory. */
  'inval-entry': { sends: 'INVAL_ENTRY', send: entryOrder(0) },
  /** `expire-entry NAME`, of a directory. */
  'expire-entry': { sends: 'INVAL_ENTRY', send: entryOrder(InvalEntryFlag.EXPIRE_ONLY) },
  /** `delete NAME`, of a directory; the name stays in the store. */
  delete: {
    sends: 'DELETE',
    send: (server, subject, [name = '']) => {
      const child = childOf(server, subject, name);
      server.notify('DELETE', { parent: subject.nodeid, child, name });
      return undefined;
    },
  },
  /** `store OFFSET LENGTH`: puts the file's own bytes into the kernel's cache. */
  store: {
    sends: 'STORE',
    send: (server, { inode, nodeid }, [from, length]) => {
      const offset = number(from, 0n);
      const data = read({ inode, offset, length: Number(number(length, 4096n)) });
      if (isRefusal(data)) return data;
      server.notify('STORE', { nodeid, offset, data });
      return undefined;
    },
  },
  /** `retrieve OFFSET LENGTH`: the kernel answers with NOTIFY_REPLY. */
  retrieve: {
    sends: 'RETRIEVE',
    send: (server, { nodeid }, [offset, length]) => {
      server.notify('RETRIEVE', {
        notifyUnique: unique(RETRIEVE_UNIQUE),
        nodeid,
        offset: number(offset, 0n),
        size: Number(number(length, 4096n)),
      });
      return undefined;
    },
  },
  /** `poll`: wakes everybody who polls the file, ready or not. */
  poll: {
    sends: 'POLL',
    send: (server, { inode }) => {
      for (const { kh } of server.polls.filter((poll) => poll.inode === inode)) server.notify('POLL', { kh });
      server.polls = server.polls.filter((poll) => poll.inode !== inode);
      return undefined;
    },
  },
  /** `resend`: the kernel sends again what it has no answer to. */
  resend: {
    sends: 'RESEND',
    send: (server) => {
      server.notify('RESEND', {});
      return undefined;
    },
  },
  /** `inc-epoch`: every name is looked up again on its next use. */
  'inc-epoch': {
    sends: 'INC_EPOCH',
    send: (server) => {
      server.notify('INC_EPOCH', {});
      return undefined;
    },
  },
  /** `prune`: the kernel may forget this node. */
  prune: {
    sends: 'PRUNE',
    send: (server, { nodeid }) => {
      server.notify('PRUNE', { nodes: [{ nodeid }] });
      return undefined;
    },
  },
};

/** Our number for every retrieval: one is under way at a time. */
const RETRIEVE_UNIQUE = 0x7e11n;

/** Does what the text orders; EINVAL for an unknown order, EOPNOTSUPP for one that the settled minor does not have. */
export const sendOrdered = (server: Server, subject: Subject, text: Uint8Array): Refusal | undefined => {
  const [verb = '', ...words] = textOf(text, 0, text.length).trim().split(/\s+/);
  const order = Object.hasOwn(orders, verb) ? orders[verb] : undefined;
  if (order === undefined) return refuse('EINVAL');
  if ((server.negotiated?.minor ?? 0) < notificationNamed(order.sends).sinceMinor)
    return refuse('EOPNOTSUPP');
  return order.send(server, subject, words);
};

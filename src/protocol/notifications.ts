/** The notification table: one row per message that a server sends unasked (FUSE_NOTIFY_*, fs/fuse/dev.c). */

import { notifies } from './id-uses.js';
import type { NotificationRow } from './operation.js';
import { body, countedName, data, type FieldsOfParts, list } from './parts.js';
import {
  notifyDeleteOut,
  notifyInvalEntryOut,
  notifyInvalInodeOut,
  notifyPollWakeupOut,
  notifyPruneOut,
  notifyRetrieveOut,
  notifyStoreOut,
  pruneNode,
} from './structs.js';

const table = {
  POLL: { code: 1, sinceMinor: 11, body: [body(notifyPollWakeupOut)], ids: [notifies('kh', 'kh')] },
  INVAL_INODE: { code: 2, sinceMinor: 12, body: [body(notifyInvalInodeOut)], ids: [notifies('node', 'ino')] },
  INVAL_ENTRY: {
    code: 3,
    sinceMinor: 12,
    body: [body(notifyInvalEntryOut), countedName('name', 'namelen')],
    ids: [notifies('node', 'parent')],
  },
  STORE: {
    code: 4,
    sinceMinor: 15,
    body: [body(notifyStoreOut), data('data', 'size')],
    ids: [notifies('node', 'nodeid')],
  },
  RETRIEVE: {
    code: 5,
    sinceMinor: 15,
    body: [body(notifyRetrieveOut)],
    ids: [notifies('unique', 'notifyUnique', { act: 'create' }), notifies('node', 'nodeid')],
  },
  DELETE: {
    code: 6,
    sinceMinor: 18,
    body: [body(notifyDeleteOut), countedName('name', 'namelen')],
    ids: [notifies('node', 'parent'), notifies('node', 'child')],
  },
  RESEND: { code: 7, sinceMinor: 40, body: [], ids: [] },
  INC_EPOCH: { code: 8, sinceMinor: 44, body: [], ids: [] },
  PRUNE: {
    code: 9,
    sinceMinor: 45,
    body: [body(notifyPruneOut), list('nodes', pruneNode, 'count')],
    ids: [notifies('node', 'nodeid', { each: 'nodes' })],
  },
} as const satisfies Readonly<Record<string, NotificationRow>>;

/** Name of a notification, without the FUSE_NOTIFY_ prefix. */
export type NotificationName = keyof typeof table;

/** A row of the notification table. */
export interface Notification extends NotificationRow {
  readonly name: NotificationName;
}

/** Decoded body of one notification (of any, as a union, by default). */
export type NotificationFields<N extends NotificationName = NotificationName> = N extends NotificationName
  ? FieldsOfParts<(typeof table)[N]['body']>
  : never;

/** All notifications in the order of their codes. */
export const notifications: readonly Notification[] = (Object.keys(table) as NotificationName[]).map(
  (key) => ({ name: key, ...table[key] }),
);

const byCode = new Map<number, Notification>(notifications.map((row) => [row.code, row]));
const byName = new Map<string, Notification>(notifications.map((row) => [row.name, row]));

/** Row of a code (`fuse_out_header.error` of a message whose unique is 0); `undefined` for an unknown one. */
export const notificationOf = (code: number): Notification | undefined => byCode.get(code);

/** Row of a name; `undefined` when no notification has it. */
export function notificationNamed(name: NotificationName): Notification;
export function notificationNamed(name: string): Notification | undefined;
export function notificationNamed(name: string): Notification | undefined {
  return byName.get(name);
}

/** Numbers that servers give to nodes and handles and the kernel gives back, out of decoded frames by the table's `ids` column. */

import { ROOT_ID } from '../base/ids.js';
import type { Fields, Value } from '../protocol/layout.js';
import type { IdUse } from '../protocol/operation.js';
import type { Operation } from '../protocol/operations.js';
import type { DecodedFrame } from './decoded-frames.js';

/** A number given or given back. */
export interface TracedId {
  readonly incarnation: number;
  /** Handles of files and of directories are often made in different ways. */
  readonly group: 'nodes' | 'files' | 'directories';
  readonly act: 'create' | 'release';
  readonly value: bigint;
  /** Lookups given back; 1 for everything else. */
  readonly count: bigint;
  /** Inode number that came with a node. */
  readonly ino: bigint | undefined;
  /** Whether the operation makes what it names; others find it. */
  readonly isNew: boolean;
}

const isFields = (value: Value): value is Fields =>
  typeof value === 'object' && !Array.isArray(value) && !(value instanceof Uint8Array);

const u64 = (value: Value): bigint | undefined => (typeof value === 'bigint' ? value : undefined);

const itemsOf = (fields: Fields, use: IdUse): readonly Fields[] => {
  if (use.each === undefined) return [fields];
  const items = fields[use.each];
  return Array.isArray(items) ? items.filter(isFields) : [];
};

const isExcepted = (use: IdUse, item: Fields): boolean =>
  typeof item.name === 'string' && use.exceptNames?.includes(item.name) === true;

const inoOf = (item: Fields): bigint | undefined => (isFields(item.attr) ? u64(item.attr.ino) : undefined);

const groupOf = (use: IdUse, op: Operation): TracedId['group'] => {
  if (use.kind === 'node') return 'nodes';
  // CREATE names a directory as well, the parent of what it opens.
  const isOnDirectory = op.header === 'node' && op.ids.some(({ type }) => type === 'directory');
  return isOnDirectory ? 'directories' : 'files';
};

type Message = { readonly op: Operation | undefined; readonly fields: Fields; readonly header: Fields };

const messageOf = ({ message }: DecodedFrame): Message | undefined => {
  if (message.kind === 'request' || (message.kind === 'reply' && message.ok)) return message;
  return undefined;
};

const isIdOf = (use: IdUse, side: string): boolean =>
  use.side === side && use.act !== 'use' && (use.kind === 'node' || use.kind === 'handle');

/** The numbers in a frame; none in requests that only use them. */
export const tracedIds = (frame: DecodedFrame): TracedId[] => {
  const message = messageOf(frame);
  const op = message?.op;
  if (message === undefined || op === undefined) return [];
  const uses = op.ids.filter((use) => isIdOf(use, frame.kind));
  return uses.flatMap((use) => idsOf(use, op, message, frame.frame.incarnation));
};

const idsOf = (use: IdUse, op: Operation, message: Message, incarnation: number): TracedId[] => {
  const holders = itemsOf(use.part === 'header' ? message.header : message.fields, use);
  return holders.flatMap((item) => {
    const value = u64(item[use.field]);
    if (value === undefined || value === use.none || isExcepted(use, item)) return [];
    if (use.kind === 'node' && value === ROOT_ID) return [];
    const counted = use.count === undefined ? undefined : (item[use.count] ?? message.fields[use.count]);
    const act = use.act === 'create' ? 'create' : 'release';
    const isNew = act === 'create' && op.effect === 'name';
    const what = { incarnation, group: groupOf(use, op), act, value, isNew } as const;
    return [{ ...what, count: u64(counted) ?? 1n, ino: act === 'create' ? inoOf(item) : undefined }];
  });
};

/** What a step does to each object that it touches, read from the operation table: the basis of all ordering. */

import { IN_HEADER_SIZE } from '../protocol/header.js';
import { fieldAt } from '../protocol/layout.js';
import type { Effect, IdUse } from '../protocol/operation.js';
import type { Operation } from '../protocol/operations.js';
import { u32At } from '../protocol/raw.js';

/** A reader needs what writers did before; a writer also must not overtake readers. */
export type Access = 'read' | 'write';

/**
 * How a step stands to all others.
 * - `barrier`: after everything before it, before everything after it.
 * - `free`: nobody waits for it.
 */
export type Reach = 'objects' | 'barrier' | 'free';

const changing: readonly Effect[] = ['data', 'name', 'attr', 'xattr', 'lock', 'count'];
const sweeping: readonly Effect[] = ['session', 'unknown'];

/** How far an operation reaches: SYNCFS, DESTROY, IOCTL and what nobody knows are about everything. */
export const reachOf = (op: Operation | undefined): Reach => {
  if (op === undefined || op.header === 'root' || sweeping.includes(op.effect)) return 'barrier';
  // It asks about the file system, whatever node it names.
  return op.name === 'STATFS' ? 'free' : 'objects';
};

/** What an operation does to a node or handle that its request names. */
export const accessTo = (op: Operation | undefined, use: IdUse): Access => {
  if (op === undefined) return 'read';
  if (use.kind === 'handle') return use.act === 'release' || hasPosition(op) ? 'write' : 'read';
  if (op.header === 'source' && use.part === 'header') return 'read';
  return changing.includes(op.effect) ? 'write' : 'read';
};

/** Directory streams have a position, which servers may keep in the handle. */
const hasPosition = (op: Operation): boolean =>
  op.ids.some((use) => use.side === 'request' && use.kind === 'cookie');

const O_TRUNC = 0o1000;

/** Whether an OPEN empties its file at once. */
export const truncates = (op: Operation, request: Uint8Array): boolean => {
  const [first] = op.request;
  const flags = first?.kind === 'struct' ? fieldAt(first.layout, 'flags') : undefined;
  const opens = op.ids.some((use) => use.side === 'reply' && use.kind === 'handle');
  return opens && flags !== undefined && (u32At(request, IN_HEADER_SIZE + flags.offset) & O_TRUNC) !== 0;
};

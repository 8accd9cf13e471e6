/** The few requests that the kernel sends on its own account, written straight into bytes as millions of them may go out. */

import type { Struct } from '../protocol/layout.js';
import { type OperationName, operationNamed } from '../protocol/operations.js';
import {
  batchForgetIn,
  forgetIn,
  forgetOne,
  getattrIn,
  inHeader,
  interruptIn,
  notifyRetrieveIn,
} from '../protocol/structs.js';
import type { Forget } from './forget-queue.js';
import { FORGET_ITEM_SIZE, offsetIn } from './shape.js';
import { put32, putPair } from './wire.js';

/** A nodeid by its halves. */
export interface NodeHalves {
  readonly low: number;
  readonly high: number;
}

const OPCODE_AT = offsetIn(inHeader, 'opcode');
const UNIQUE_AT = offsetIn(inHeader, 'unique');
const NODEID_AT = offsetIn(inHeader, 'nodeid');
const inBody = (layout: Struct, path: string): number => inHeader.size + offsetIn(layout, path);

const NLOOKUP_AT = inBody(forgetIn, 'nlookup');
const COUNT_AT = inBody(batchForgetIn, 'count');
const ITEMS_AT = inHeader.size + batchForgetIn.size;
const ITEM_NODEID_AT = offsetIn(forgetOne, 'nodeid');
const ITEM_NLOOKUP_AT = offsetIn(forgetOne, 'nlookup');
const INTERRUPTED_AT = inBody(interruptIn, 'unique');
const RETRIEVE_OFFSET_AT = inBody(notifyRetrieveIn, 'offset');

const frame = (name: OperationName, node: NodeHalves, bodySize: number): Uint8Array => {
  const bytes = new Uint8Array(inHeader.size + bodySize);
  put32(bytes, 0, bytes.length);
  put32(bytes, OPCODE_AT, operationNamed(name).opcode);
  putPair(bytes, NODEID_AT, node.low, node.high);
  return bytes;
};

const nobody: NodeHalves = { low: 0, high: 0 };

/** Writes a request's unique; `resent` sets bit 63. */
export const stampUnique = (bytes: Uint8Array, unique: number, resent = false): void => {
  const high = Math.floor(unique / 0x1_0000_0000);
  putPair(bytes, UNIQUE_AT, unique, resent ? high | 0x8000_0000 : high);
};

/** FORGET of one node (`fuse_read_single_forget`). */
export const forgetMessage = (forget: Forget): Uint8Array => {
  const bytes = frame('FORGET', forget, forgetIn.size);
  putPair(bytes, NLOOKUP_AT, forget.nlookup, 0);
  return bytes;
};

/** BATCH_FORGET of several (`fuse_read_batch_forget`). */
export const batchForgetMessage = (forgets: readonly Forget[]): Uint8Array => {
  const bytes = frame('BATCH_FORGET', nobody, batchForgetIn.size + forgets.length * FORGET_ITEM_SIZE);
  put32(bytes, COUNT_AT, forgets.length);
  forgets.forEach(({ low, high, nlookup }, index) => {
    const at = ITEMS_AT + index * FORGET_ITEM_SIZE;
    putPair(bytes, at + ITEM_NODEID_AT, low, high);
    putPair(bytes, at + ITEM_NLOOKUP_AT, nlookup, 0);
  });
  return bytes;
};

/** LOOKUP of a name without its NUL (`fuse_lookup_init`). */
export const lookupMessage = (parent: NodeHalves, name: Uint8Array): Uint8Array => {
  const bytes = frame('LOOKUP', parent, name.length + 1);
  bytes.set(name, inHeader.size);
  return bytes;
};

/** GETATTR without a handle (`fuse_do_getattr`); below minor 9 it has no body. */
export const getattrMessage = (node: NodeHalves, minor: number): Uint8Array =>
  frame('GETATTR', node, minor < 9 ? 0 : getattrIn.size);

/** INTERRUPT of a request: bit 0 of the unique is set in the header, not in the body (`fuse_read_interrupt`). */
export const interruptMessage = (unique: number, resent: boolean): Uint8Array => {
  const bytes = frame('INTERRUPT', nobody, interruptIn.size);
  stampUnique(bytes, unique + 1, resent);
  bytes.copyWithin(INTERRUPTED_AT, UNIQUE_AT, UNIQUE_AT + 8);
  put32(bytes, INTERRUPTED_AT, unique);
  return bytes;
};

/**
 * NOTIFY_REPLY with no data: the virtual kernel keeps no pages, and the kernel's answer ends at the first page that is not
 * cached (`fuse_retrieve`). `request` is the body of NOTIFY_RETRIEVE: notify_unique, nodeid, offset, each 8 bytes.
 */
export const notifyReplyMessage = (request: Uint8Array): Uint8Array => {
  const bytes = frame('NOTIFY_REPLY', nobody, notifyRetrieveIn.size);
  bytes.set(request.subarray(0, 8), UNIQUE_AT);
  bytes.set(request.subarray(8, 16), NODEID_AT);
  bytes.set(request.subarray(16, 24), RETRIEVE_OFFSET_AT);
  return bytes;
};

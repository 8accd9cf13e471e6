// Messages by their fields, for the tests of the oracle.

import { encodeReply, encodeRequest } from '#relight/protocol/encode.js';
import type { Fields } from '#relight/protocol/layout.js';
import { newestNegotiated } from '#relight/protocol/negotiated.js';
import type { OperationName } from '#relight/protocol/operations.js';
import { replyContext } from '#relight/protocol/reply-context.js';

export const session = newestNegotiated;

export const attributes = (more: Fields = {}): Fields => ({
  ino: 100n,
  size: 5n,
  blocks: 8n,
  atime: 1000n,
  mtime: 1000n,
  ctime: 1000n,
  atimensec: 1,
  mtimensec: 2,
  ctimensec: 3,
  mode: 0o100644,
  nlink: 1,
  uid: 7,
  gid: 7,
  rdev: 0,
  blksize: 4096,
  flags: 0,
  ...more,
});

export const entry = (nodeid: bigint, attr: Fields = {}): Fields => ({
  nodeid,
  generation: 0n,
  entryValid: 1n,
  attrValid: 1n,
  entryValidNsec: 0,
  attrValidNsec: 0,
  attr: attributes(attr),
});

export const attrReply = (attr: Fields = {}): Fields => ({
  attrValid: 1n,
  attrValidNsec: 0,
  dummy: 0,
  attr: attributes(attr),
});

export const getattr: Fields = { getattrFlags: 0, dummy: 0, fh: 0n };

export const reading = (fh: bigint, offset: bigint, size = 4096): Fields => ({
  fh,
  offset,
  size,
  readFlags: 0,
  lockOwner: 0n,
  flags: 0,
  padding: 0,
});

export const writing = (fh: bigint, offset: bigint, data: Uint8Array, flags = 0): Fields => ({
  fh,
  offset,
  size: data.length,
  writeFlags: 0,
  lockOwner: 0n,
  flags,
  padding: 0,
  data,
});

export const setting = (more: Fields): Fields => ({
  valid: 0,
  padding: 0,
  fh: 0n,
  size: 0n,
  lockOwner: 0n,
  atime: 0n,
  mtime: 0n,
  ctime: 0n,
  atimensec: 0,
  mtimensec: 0,
  ctimensec: 0,
  mode: 0,
  unused4: 0,
  uid: 0,
  gid: 0,
  unused5: 0,
  ...more,
});

export const record = (name: string, off: number, more: Fields = {}): Fields => ({
  ino: BigInt(off),
  off: BigInt(off),
  namelen: name.length,
  type: 8,
  name,
  ...more,
});

export const plainRecords = (...names: string[]): Fields => ({
  entries: names.map((name, index) => record(name, index + 1)),
});

export const request = (name: OperationName, fields: Fields, header: Fields = {}): Uint8Array =>
  encodeRequest({ name, header: { unique: 4n, nodeid: 1n, ...header }, fields }, session);

export const reply = (name: OperationName, asked: Uint8Array, fields: Fields, unique = 4n): Uint8Array =>
  encodeReply({ name, header: { unique }, fields }, replyContext(asked, session), session);

export const errorReply = (error: number, unique = 4n): Uint8Array => {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 16, true);
  view.setInt32(4, -error, true);
  view.setBigUint64(8, unique, true);
  return bytes;
};

export const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value));

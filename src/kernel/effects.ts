/**
 * What requests and replies do to the kernel's caches, and which replies the caller refuses after the device took them.
 * Chosen by the operation's shape; no operation is known by name, and nothing is sent from here.
 */

import { Errno } from '../base/errno.js';
import { IN_HEADER_SIZE, NODEID_AT } from '../protocol/header.js';
import { u32At } from '../protocol/raw.js';
import { type Cache, DIRECTORY_TYPE, type Place } from './cache.js';
import { isDots, walkDirectory } from './directory.js';
import { entryIsInvalid, entryKey, isNoNode, isRootKey, readAttr } from './entry.js';
import type { NodeKey } from './node-table.js';
import { byCaller, type Refusal, warned } from './refusal.js';
import type { Shape } from './shape.js';
import { endOfName, u53 } from './wire.js';

/** A request and its good reply. */
export interface Exchange {
  readonly cache: Cache;
  readonly shape: Shape;
  readonly request: Uint8Array;
  readonly reply: Uint8Array;
  readonly tag: number;
}

/** What came of a reply. */
export interface Applied {
  readonly refusal: Refusal | undefined;
  /** Row of the node that the reply named. */
  readonly node: number | undefined;
  /** Row of the file that the reply opened. */
  readonly file: number | undefined;
  /** Row of a node that went bad by it. */
  readonly bad: number | undefined;
}

const nothing: Applied = { refusal: undefined, node: undefined, file: undefined, bad: undefined };
const refused = (refusal: Refusal): Applied => ({ ...nothing, refusal });

const BODY_AT = IN_HEADER_SIZE;
const S_IFMT = 0xf000;
const S_IFREG = 0x8000;

/** Row of the node in a request at an offset; `undefined` when the kernel has none by that nodeid. */
export const nodeAt = (cache: Cache, request: Uint8Array, at = NODEID_AT): number | undefined =>
  cache.nodes.locate(u32At(request, at), u32At(request, at + 4));

/** Directory and name that a request is about; `undefined` when the kernel does not know the directory. */
const placeAt = (
  cache: Cache,
  request: Uint8Array,
  nameAt: number,
  parentAt = NODEID_AT,
): Place | undefined => {
  const parent = nodeAt(cache, request, parentAt);
  if (parent === undefined) return undefined;
  return { parent, name: cache.names.intern(request, nameAt, endOfName(request, nameAt)) };
};

/** Applies a good reply whose length is right. */
export const applyReply = (exchange: Exchange): Applied => {
  const { shape } = exchange;
  if (shape.entryAt !== undefined) return applyEntry(exchange, shape.entryAt);
  if (shape.openAt !== undefined)
    return applyOpen(exchange, shape.openAt, nodeAt(exchange.cache, exchange.request));
  if (shape.records !== undefined) return applyRecords(exchange, shape.records);
  if (shape.attr !== undefined) return applyAttr(exchange);
  if (shape.nameAt !== undefined) return applyNames(exchange, shape.nameAt);
  if (shape.written !== undefined) return applyWritten(exchange);
  if (shape.lockAt !== undefined) return applyLock(exchange, shape.lockAt);
  return nothing;
};

/**
 * What an error reply says about names: ENOENT of a LOOKUP makes a negative dentry with no time to live, EEXIST, ENOENT
 * and EINTR of a change leave the kernel unsure, so that it asks again (`fuse_invalidate_entry`).
 */
export const applyError = ({ cache, shape, request }: Exchange, errno: number): void => {
  if (shape.nameAt === undefined) return;
  const doubtful = shape.entryAt === undefined ? [Errno.ENOENT, Errno.EINTR] : [Errno.ENOENT, Errno.EEXIST];
  if (!doubtful.some((value) => value === errno)) return;
  const place = placeAt(cache, request, shape.nameAt);
  if (place !== undefined) cache.dropAt(place);
};

/** Applies what a request does when it is sent: FORGETs are counted, a released file is closed. */
export const applyRequest = (cache: Cache, shape: Shape, request: Uint8Array): void => {
  if (shape.forgets === 'one') forgetOneOf(cache, request, NODEID_AT, BODY_AT);
  else if (shape.forgets === 'list') forgetList(cache, request);
  for (const site of shape.handles) if (site.releases) closeAt(cache, request, site.at);
};

const forgetOneOf = (cache: Cache, request: Uint8Array, nodeAt: number, countAt: number): void =>
  cache.forget(u32At(request, nodeAt), u32At(request, nodeAt + 4), u53(request, countAt));

const forgetList = (cache: Cache, request: Uint8Array): void => {
  const items = Math.min(u32At(request, BODY_AT), (request.length - BODY_AT - 8) / 16);
  for (let item = 0, at = BODY_AT + 8; item < items; item++, at += 16) {
    forgetOneOf(cache, request, at, at + 8);
  }
};

const closeAt = (cache: Cache, request: Uint8Array, at: number): void => {
  const node = nodeAt(cache, request);
  if (node === undefined) return;
  const directory = cache.nodes.typeOf(node) === DIRECTORY_TYPE;
  const file = cache.files.find({ low: u32At(request, at), high: u32At(request, at + 4), node, directory });
  if (file !== undefined) cache.close(file);
};

/** LOOKUP and the operations that make a node (`fuse_lookup_name`, `create_new_entry`, `fuse_create_open`). */
const applyEntry = (exchange: Exchange, at: number): Applied => {
  const { cache, shape, request, reply } = exchange;
  const key = entryKey(reply, at);
  const place = shape.nameAt === undefined ? undefined : placeAt(cache, request, shape.nameAt);
  const creates = shape.rule.creates !== undefined;
  if (isNoNode(key) && !creates) {
    if (place !== undefined) cache.miss(place);
    return nothing;
  }
  const refusal = entryRefusal(exchange, at, key);
  if (refusal !== undefined) return refused(refusal);
  const root = isRootKey(key);
  const { node, replaced } = cache.get(root ? { ...key, generation: 0 } : key);
  const after = { ...nothing, node, bad: replaced };
  if (asksForDots(exchange)) return warnOfRoot(key, after);
  if (root) return { ...after, refusal: byCaller('root', 'fuse_lookup') };
  if (place !== undefined && !cache.splice(place, node)) return loop(cache, after);
  return shape.openAt === undefined ? after : applyOpen(exchange, shape.openAt, node);
};

const warnOfRoot = (key: NodeKey, applied: Applied): Applied =>
  isRootKey(key) && key.generation !== 0
    ? { ...applied, refusal: warned('rootGeneration', 'fuse_lookup_name') }
    : applied;

const loop = (cache: Cache, applied: Applied): Applied => {
  if (applied.node !== undefined) cache.settle(applied.node);
  return { ...applied, node: undefined, refusal: byCaller('loop', 'd_splice_alias', Errno.ELOOP) };
};

/** LOOKUP of "." and ".." asks for a node by its nodeid, for NFS export, and gives it no name (`fuse_get_dentry`). */
const asksForDots = ({ shape, request }: Exchange): boolean =>
  shape.nameAt !== undefined && isDots(request, shape.nameAt, endOfName(request, shape.nameAt));

const entryRefusal = (exchange: Exchange, at: number, key: NodeKey): Refusal | undefined => {
  const { shape, reply } = exchange;
  const opens = shape.openAt !== undefined;
  if (shape.rule.creates === undefined) {
    return entryIsInvalid(reply, at) ? byCaller('attr', 'fuse_lookup_name') : undefined;
  }
  const where = opens ? 'fuse_create_open' : 'create_new_entry';
  if (isNoNode(key) || isRootKey(key)) return byCaller('nodeid', where);
  if (entryIsInvalid(reply, at)) return byCaller('attr', where);
  const wanted = wantedType(exchange);
  return wanted !== undefined && wanted !== key.type ? byCaller('type', where) : undefined;
};

const wantedType = ({ cache, shape, request }: Exchange): number | undefined => {
  const { creates } = shape.rule;
  // MKNOD has its mode first, LINK its old node.
  if (creates === 'asked') return u32At(request, BODY_AT) & S_IFMT || S_IFREG;
  if (creates !== 'same') return creates;
  const old = nodeAt(cache, request, BODY_AT);
  return old === undefined ? undefined : cache.nodes.typeOf(old);
};

/** OPEN, OPENDIR and the second half of CREATE and TMPFILE. */
const applyOpen = (exchange: Exchange, at: number, node: number | undefined): Applied => {
  const { cache, request, reply, tag } = exchange;
  if (node === undefined) return nothing;
  const file = cache.open({
    node,
    low: u32At(reply, at),
    high: u32At(reply, at + 4),
    directory: cache.nodes.typeOf(node) === DIRECTORY_TYPE,
    flags: u32At(request, BODY_AT),
    openFlags: u32At(reply, at + 8),
    opener: tag,
    incarnation: cache.incarnation,
  });
  return { ...nothing, node, file };
};

/** READDIR and READDIRPLUS. A record that cannot be linked has its lookup given back at once (`fuse_force_forget`). */
const applyRecords = (exchange: Exchange, records: 'plain' | 'plus'): Applied => {
  const { cache, request, reply } = exchange;
  const parent = nodeAt(cache, request);
  let linkRefusal: Refusal | undefined;
  const broken = walkDirectory(reply, records, ({ entryAt, nameAt, nameEnd }) => {
    if (entryAt === 0 || isDots(reply, nameAt, nameEnd)) return;
    const key = entryKey(reply, entryAt);
    if (isNoNode(key)) return;
    const refusal = recordRefusal(reply, entryAt, key);
    if (refusal === undefined) return link(cache, key, parent, cache.names.intern(reply, nameAt, nameEnd));
    linkRefusal ??= refusal;
    if (cache.letGo === 'automatic') cache.forgets.push(key.low, key.high, 1);
  });
  return { ...nothing, refusal: broken ?? linkRefusal };
};

const recordRefusal = (reply: Uint8Array, at: number, key: NodeKey): Refusal | undefined => {
  if (isRootKey(key)) return byCaller('nodeid', 'fuse_direntplus_link');
  return entryIsInvalid(reply, at) ? byCaller('attr', 'fuse_direntplus_link') : undefined;
};

const link = (cache: Cache, key: NodeKey, parent: number | undefined, name: number): void => {
  const { node } = cache.get(key);
  if (parent !== undefined && !cache.splice({ parent, name }, node)) cache.settle(node);
};

/** GETATTR, SETATTR, STATX: attributes that cannot be, or of another type, make the node bad (`fuse_do_getattr`). */
const applyAttr = ({ cache, shape, request, reply }: Exchange): Applied => {
  if (shape.attr === undefined) return nothing;
  const { type, invalid } = readAttr(reply, shape.attr);
  const node = nodeAt(cache, request);
  const changed = node !== undefined && type !== undefined && cache.nodes.typeOf(node) !== type;
  if (!invalid && !changed) return { ...nothing, node };
  if (node !== undefined) cache.nodes.makeBad(node, 'keep');
  const where = shape.attr.maskAt === undefined ? 'fuse_do_getattr' : 'fuse_do_statx';
  return { ...nothing, node, bad: node, refusal: byCaller(invalid ? 'attr' : 'type', where) };
};

/** UNLINK, RMDIR and the RENAMEs. */
const applyNames = ({ cache, shape, request }: Exchange, nameAt: number): Applied => {
  const from = placeAt(cache, request, nameAt);
  if (shape.nameCount === 1) {
    if (from !== undefined) cache.dropAt(from);
    return nothing;
  }
  const to = placeAt(cache, request, endOfName(request, nameAt) + 1, BODY_AT);
  // Only RENAME2 has flags between the new directory and the names.
  const exchange = nameAt > BODY_AT + 8 && (u32At(request, BODY_AT + 8) & RENAME_EXCHANGE) !== 0;
  if (from !== undefined && to !== undefined) cache.move(from, to, exchange);
  else if (from !== undefined) cache.dropAt(from);
  else if (to !== undefined) cache.dropAt(to);
  return nothing;
};

const RENAME_EXCHANGE = 2;

/** WRITE cannot have written more than it was given (`fuse_send_write_pages`). */
const applyWritten = ({ shape, request, reply }: Exchange): Applied => {
  const site = shape.written;
  const tooMuch = site !== undefined && u32At(reply, site.doneAt) > u32At(request, site.askedAt);
  return tooMuch ? refused(byCaller('count', 'fuse_send_write_pages')) : nothing;
};

const F_WRLCK = 1;
const F_UNLCK = 2;
const BEYOND_OFFSETS = 0x8000_0000;

/** GETLK: a lock that is held must be a range below 2^63 (`convert_fuse_file_lock`). */
const applyLock = ({ reply }: Exchange, at: number): Applied => {
  const type = u32At(reply, at + 16);
  if (type === F_UNLCK) return nothing;
  const high = u32At(reply, at + 4) >= BEYOND_OFFSETS || u32At(reply, at + 12) >= BEYOND_OFFSETS;
  const wrong = type > F_WRLCK || high || u53(reply, at + 8) < u53(reply, at);
  return wrong ? refused(byCaller('lock', 'convert_fuse_file_lock')) : nothing;
};

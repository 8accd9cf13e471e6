/**
 * What the virtual kernel needs to know of an operation's bytes under one session: where ids and names stand, how long a
 * good reply is. Compiled once from the operation table, so that no message is decoded on the way.
 */

import { fieldAt, type Struct } from '../protocol/layout.js';
import type { Negotiated } from '../protocol/negotiated.js';
import type { IdUse, ReplyRule } from '../protocol/operation.js';
import { type Operation, type OperationName, operations } from '../protocol/operations.js';
import type { Part, StructPart } from '../protocol/parts.js';
import { sizeUnder } from '../protocol/prefix.js';
import { forgetOne, inHeader, outHeader } from '../protocol/structs.js';
import { type KernelRule, kernelRules } from './kernel-rules.js';

/** A file handle in a request; it counts only when `(u32 at flagsAt) & mask` is not 0, where there is a mask. */
export interface HandleSite {
  readonly at: number;
  readonly flagsAt: number;
  readonly mask: number;
  readonly releases: boolean;
}

/** Attributes in a reply; STATX has a 16-bit mode and a mask that says what counts. */
export interface AttrSite {
  readonly modeAt: number;
  readonly sizeAt: number;
  readonly maskAt: number | undefined;
}

/** Offsets are from the start of the frame, sizes are bytes. */
export interface Shape {
  readonly operation: Operation;
  readonly name: OperationName;
  readonly rule: KernelRule;
  readonly answered: ReplyRule;
  /** The unique in the header is the server's own (NOTIFY_REPLY). */
  readonly ownUnique: boolean;
  /** Good reply's length up to its variable part, header included. */
  readonly fixed: number;
  /** Most bytes of a reply that may be cut anywhere, as INIT of old minors; `undefined` for any other. */
  readonly most: number | undefined;
  /** Most bytes of the variable part, or the least that the kernel has room for where the request says more (`roomAt`). */
  readonly room: number;
  /** Where the request says how long the variable part may be. */
  readonly roomAt: number | undefined;
  /** Length of the reply when the request makes no room and only a length was asked for. */
  readonly lengthReply: number | undefined;
  /** Nodes that the request relies on: the header's first. */
  readonly nodesAt: readonly number[];
  readonly handles: readonly HandleSite[];
  /** First name of a request that changes or looks up names. */
  readonly nameAt: number | undefined;
  /** Names in the request: 2 for RENAME. */
  readonly nameCount: number;
  /** `fuse_entry_out` of the reply. */
  readonly entryAt: number | undefined;
  /** `fuse_open_out` of the reply. */
  readonly openAt: number | undefined;
  /** The reply is a list of `fuse_direntplus` (`plus`) or `fuse_dirent`. */
  readonly records: 'plain' | 'plus' | undefined;
  /** Attributes of the header's node in the reply. */
  readonly attr: AttrSite | undefined;
  /** Where request and reply tell how many bytes were to be written and were. */
  readonly written: { readonly askedAt: number; readonly doneAt: number } | undefined;
  /** `fuse_file_lock` of the reply. */
  readonly lockAt: number | undefined;
  /** Lookups that the request gives back: one node's, or a list. */
  readonly forgets: 'one' | 'list' | undefined;
}

const bodySize = (parts: readonly Part[], negotiated: Negotiated): number =>
  parts.reduce((sum, part) => sum + (part.kind === 'struct' ? sizeUnder(part, negotiated) : 0), 0);

const structOf = (parts: readonly Part[]): StructPart | undefined =>
  parts.find((part): part is StructPart => part.kind === 'struct');

/** Offset of a field in the first struct of a body; `undefined` when it has none or the session cuts it off. */
const siteOf = (
  parts: readonly Part[],
  path: string,
  base: number,
  negotiated: Negotiated,
): number | undefined => {
  const part = structOf(parts);
  const field = part && fieldAt(part.layout, path);
  if (part === undefined || field === undefined) return undefined;
  return field.offset + field.size <= sizeUnder(part, negotiated) ? base + field.offset : undefined;
};

/** Offset of a struct in a reply, by its kernel name. */
const structAt = (parts: readonly Part[], name: string, negotiated: Negotiated): number | undefined => {
  let at = outHeader.size;
  for (const part of parts) {
    if (part.kind !== 'struct') return undefined;
    if (part.layout.name === name) return at;
    at += sizeUnder(part, negotiated);
  }
  return undefined;
};

const nodeSites = (operation: Operation, negotiated: Negotiated): number[] => {
  const header = offsetIn(inHeader, 'nodeid');
  const at = (use: IdUse): number | undefined =>
    use.part === 'header' ? header : siteOf(operation.request, use.field, inHeader.size, negotiated);
  return operation.ids
    .filter((use) => use.side === 'request' && use.kind === 'node' && use.act === 'use')
    .map(at)
    .filter((site) => site !== undefined);
};

const handleSites = (operation: Operation, negotiated: Negotiated): HandleSite[] => {
  const site = (path: string) => siteOf(operation.request, path, inHeader.size, negotiated);
  return operation.ids
    .filter((use) => use.side === 'request' && use.kind === 'handle')
    .flatMap((use) => {
      const at = site(use.field);
      if (at === undefined) return [];
      const flagsAt = use.when === undefined ? 0 : (site(use.when.field) ?? 0);
      return [{ at, flagsAt, mask: use.when?.mask ?? 0, releases: use.act === 'release' }];
    });
};

const nameSites = (
  operation: Operation,
  negotiated: Negotiated,
): { at: number | undefined; count: number } => {
  const names = operation.request.filter((part) => part.kind === 'name' && part.content === 'name');
  // TMPFILE has a parent as well, but its name is a placeholder and only a handle comes of it.
  const inDirectory = /parent$/i.test(operation.header) && operation.effect !== 'handle';
  if (!inDirectory || names.length === 0) return { at: undefined, count: 0 };
  return { at: inHeader.size + bodySize(operation.request, negotiated), count: names.length };
};

const variableReply = (
  { replyRoom, request }: Operation,
  reply: readonly Part[],
  negotiated: Negotiated,
): Pick<Shape, 'room' | 'roomAt' | 'lengthReply'> => {
  if (replyRoom === undefined) return { room: 0, roomAt: undefined, lengthReply: undefined };
  if ('bytes' in replyRoom) return { room: replyRoom.bytes, roomAt: undefined, lengthReply: undefined };
  const last = reply.at(-1);
  const asksLength = last?.kind === 'choice' && last.when.from === 'request';
  return {
    room: replyRoom.atLeast ?? 0,
    roomAt: siteOf(request, replyRoom.field, inHeader.size, negotiated),
    lengthReply: asksLength ? outHeader.size + bodySize(last.then, negotiated) : undefined,
  };
};

const mostOf = (reply: readonly Part[]): number | undefined => {
  const open = reply.find((part) => part.kind === 'struct' && part.open);
  return open?.kind === 'struct' ? outHeader.size + open.layout.size : undefined;
};

const recordsOf = (reply: readonly Part[]): Shape['records'] => {
  const part = reply.find(({ kind }) => kind === 'records');
  if (part?.kind !== 'records') return undefined;
  return part.of.name === 'fuse_direntplus' ? 'plus' : 'plain';
};

const attrOf = (reply: readonly Part[], negotiated: Negotiated): AttrSite | undefined => {
  const site = (path: string) => siteOf(reply, path, outHeader.size, negotiated);
  const layout = structOf(reply)?.layout.name;
  const name = layout === 'fuse_statx_out' ? 'stat' : 'attr';
  const modeAt = site(`${name}.mode`);
  const sizeAt = site(`${name}.size`);
  if (modeAt === undefined || sizeAt === undefined || layout === 'fuse_entry_out') return undefined;
  return { modeAt, sizeAt, maskAt: site('stat.mask') };
};

const writtenOf = (
  operation: Operation,
  reply: readonly Part[],
  negotiated: Negotiated,
): Shape['written'] => {
  const askedAt = siteOf(operation.request, 'size', inHeader.size, negotiated);
  const doneAt = structAt(reply, 'fuse_write_out', negotiated);
  return askedAt === undefined || doneAt === undefined ? undefined : { askedAt, doneAt };
};

const forgetsOf = (operation: Operation): Shape['forgets'] => {
  const use = operation.ids.find(({ count }) => count !== undefined);
  if (use === undefined) return undefined;
  return use.each === undefined ? 'one' : 'list';
};

const compile = (operation: Operation, negotiated: Negotiated): Shape => {
  const reply = operation.reply ?? [];
  const names = nameSites(operation, negotiated);
  return {
    operation,
    name: operation.name,
    rule: kernelRules[operation.name],
    answered: operation.replyRule,
    ownUnique: operation.ids.some(({ kind, part }) => kind === 'unique' && part === 'header'),
    fixed: outHeader.size + bodySize(reply, negotiated),
    most: mostOf(reply),
    ...variableReply(operation, reply, negotiated),
    nodesAt: nodeSites(operation, negotiated),
    handles: handleSites(operation, negotiated),
    nameAt: names.at,
    nameCount: names.count,
    entryAt: structAt(reply, 'fuse_entry_out', negotiated),
    openAt: structAt(reply, 'fuse_open_out', negotiated),
    records: recordsOf(reply),
    attr: attrOf(reply, negotiated),
    written: writtenOf(operation, reply, negotiated),
    lockAt: structAt(reply, 'fuse_lk_out', negotiated),
    forgets: forgetsOf(operation),
  };
};

/** Shapes of every operation under a session, by opcode; no entry for opcodes that nobody knows. */
export const shapesOf = (negotiated: Negotiated): ReadonlyMap<number, Shape> =>
  new Map(operations.map((operation) => [operation.opcode, compile(operation, negotiated)]));

/** Offset of a field that the struct has; asserts that it is there. */
export const offsetIn = (layout: Struct, path: string): number => {
  const field = fieldAt(layout, path);
  if (field === undefined) throw new Error(`${layout.name} has no field ${path}`);
  return field.offset;
};

/** Bytes of one item of BATCH_FORGET. */
export const FORGET_ITEM_SIZE = forgetOne.size;

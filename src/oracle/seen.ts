/** An exchange with valid ids, and which objects its ids named: what the oracle learns from. A step of a plan becomes one. */

import type { DecodedReply, DecodedRequest } from '../protocol/decode.js';
import { decodeReply, decodeRequest } from '../protocol/decode.js';
import type { Fields } from '../protocol/layout.js';
import type { Negotiated } from '../protocol/negotiated.js';
import type { IdUse } from '../protocol/operation.js';
import type { Operation } from '../protocol/operations.js';
import { type Fingerprint, fingerprintOf, scalarsOf } from './fingerprint.js';

/** Number of an object (a node symbol of the plan, or one that the oracle made). */
export type ObjectKey = number;

/** A step of a plan, as far as the oracle needs it. */
export interface StepIds {
  readonly op: Operation | undefined;
  readonly template: Uint8Array;
  /** Recorded reply, in which the offsets of `mints` count. */
  readonly reply: Uint8Array | undefined;
  readonly patches: readonly { readonly use: IdUse; readonly symbol?: number | undefined }[];
  readonly mints: readonly { readonly use: IdUse; readonly symbol: number; readonly offset: number }[];
}

/** What an exchange told about one object. */
export interface Told {
  readonly key: ObjectKey;
  readonly told: Fingerprint;
}

/** An exchange by what it tells and changes. */
export interface Account {
  readonly request: DecodedRequest;
  readonly reply: DecodedReply;
  /** The object of the header; that of the body (new directory, copied-to file, linked file); the one that the reply gave. */
  readonly node: ObjectKey | undefined;
  readonly second: ObjectKey | undefined;
  readonly child: ObjectKey | undefined;
  /** What the reply tells, object by object. */
  readonly told: readonly Told[];
}

const isNode = ({ use }: { readonly use: IdUse }): boolean => use.kind === 'node';

/** Object that the header of a step's request names. */
export const nodeOf = ({ patches }: StepIds): ObjectKey | undefined =>
  patches.find((patch) => isNode(patch) && patch.use.part === 'header')?.symbol;

/** Object that the body of a step's request names besides. */
export const secondOf = ({ patches }: StepIds): ObjectKey | undefined =>
  patches.find((patch) => isNode(patch) && patch.use.part === 'body' && patch.use.act === 'use')?.symbol;

/** Object that a step's reply gives. */
export const childOf = ({ mints }: StepIds): ObjectKey | undefined =>
  mints.find((mint) => isNode(mint) && mint.use.each === undefined)?.symbol;

/** Objects that the records of a step's recorded reply give, by name. */
const childrenOf = (step: StepIds, recorded: DecodedReply): Map<string, ObjectKey> => {
  const keys = step.mints.filter((mint) => isNode(mint) && mint.use.each !== undefined);
  if (keys.length === 0 || !('entries' in recorded.fields)) return new Map();
  const named = recorded.fields.entries.filter(
    (entry) => 'nodeid' in entry && entry.nodeid !== 0n && entry.name !== '.' && entry.name !== '..',
  );
  // Mints come in the order of the wire, and each of these records mints one node.
  return new Map(
    named.flatMap(({ name }, index) => (keys[index] ? [[name, keys[index].symbol] as const] : [])),
  );
};

const toldByEntries = (live: DecodedReply, children: ReadonlyMap<string, ObjectKey>): Told[] =>
  !('entries' in live.fields)
    ? []
    : live.fields.entries.flatMap((entry) => {
        const key = children.get(entry.name);
        if (key === undefined || !('attr' in entry) || entry.nodeid === 0n) return [];
        return [{ key, told: { scalars: scalarsOf(entry.attr as Fields) } }];
      });

/** What a step asked for, whatever came of it; `undefined` when its bytes are no request that the table knows. */
export const intentOf = (
  step: StepIds,
  negotiated: Negotiated,
): Pick<Account, 'request' | 'node' | 'second'> | undefined => {
  const request = decodeRequest(step.template, negotiated, { cut: true });
  if (request.kind !== 'request' || request.op === undefined) return undefined;
  return { request, node: nodeOf(step), second: secondOf(step) };
};

/** Reads an exchange; `undefined` when its bytes are no such messages or it failed. */
export const accountOf = (step: StepIds, live: Uint8Array, negotiated: Negotiated): Account | undefined => {
  const intent = intentOf(step, negotiated);
  if (intent === undefined) return undefined;
  const { request, node } = intent;
  const reply = decodeReply(live, request, negotiated);
  if (reply.kind !== 'reply' || !reply.ok) return undefined;
  const child = childOf(step);
  // Attributes in a reply that gives a node are those of that node.
  const about = request.op?.ids.some(givesOneNode) === true ? child : node;
  const whole = about === undefined ? [] : [{ key: about, told: fingerprintOf(request, reply) }];
  const children = childrenOf(step, recordedReply(step, request, negotiated) ?? reply);
  return { ...intent, reply, child, told: [...whole, ...toldByEntries(reply, children)] };
};

const givesOneNode = ({ side, kind, each }: IdUse): boolean =>
  side === 'reply' && kind === 'node' && each === undefined;

const recordedReply = (
  { reply, mints }: StepIds,
  request: DecodedRequest,
  negotiated: Negotiated,
): DecodedReply | undefined => {
  if (reply === undefined || mints.every(({ use }) => use.each === undefined)) return undefined;
  const recorded = decodeReply(reply, request, negotiated, { cut: true });
  return recorded.kind === 'reply' ? recorded : undefined;
};

/**
 * A look at the objects that a life handed out ids for, by these ids: attributes, first bytes, names. Compared with an earlier
 * look it shows what the requests between did. It sends nothing by itself.
 */

import type { ObjectState } from '../oracle/effects.js';
import { DIRECTORY, type Fingerprint, fingerprintOf, REGULAR, SYMLINK } from '../oracle/fingerprint.js';
import type { UseResult } from '../oracle/live-ids.js';
import type { ObjectKey } from '../oracle/seen.js';
import { decodeReply, decodeRequest } from '../protocol/decode.js';
import { encodeRequest, type RequestDraft } from '../protocol/encode.js';
import { errorOf, OUT_HEADER_SIZE } from '../protocol/header.js';
import type { OperationName } from '../protocol/operations.js';
import { operationNamed } from '../protocol/operations.js';
import { u64At } from '../protocol/raw.js';
import type { CaseRequest } from './case.js';
import type { Era, LiveTarget } from './world.js';

/** Asks questions together; the replies in their order, or how the server failed. */
export type Ask = (questions: readonly CaseRequest[]) => Promise<readonly Uint8Array[] | 'died' | 'silent'>;

/** A use of one live id. */
export interface Use {
  readonly kind: 'node' | 'handle';
  readonly object: ObjectKey;
  readonly value: bigint;
  readonly by: OperationName;
  readonly result: UseResult;
}

/** What was seen. */
export interface Look {
  readonly states: ReadonlyMap<ObjectKey, ObjectState>;
  /** By symbol. */
  readonly uses: ReadonlyMap<number, Use>;
}

const HEAD_BYTES = 4096;
const LISTING_BYTES = 16384;
const HANDLE_AT = OUT_HEADER_SIZE;

const readers = { [REGULAR]: 'READ', [DIRECTORY]: 'READDIR' } as const;
const openers = { [REGULAR]: 'OPEN', [DIRECTORY]: 'OPENDIR' } as const;
const closers = { [REGULAR]: 'RELEASE', [DIRECTORY]: 'RELEASEDIR' } as const;
type Openable = keyof typeof readers;
const isOpenable = (type: number | undefined): type is Openable => type === REGULAR || type === DIRECTORY;

/** A question about an object; `symbol` is the id that it uses, absent for a handle of our own. */
interface Question {
  readonly target: LiveTarget;
  readonly symbol: number | undefined;
  readonly value: bigint;
  readonly by: OperationName;
  readonly request: CaseRequest;
}

/** Looks at all targets: three rounds of questions, the last two only for what is not open. */
export const survey = async (
  targets: readonly LiveTarget[],
  ask: Ask,
  era: Era,
): Promise<Look | 'died' | 'silent'> => {
  const first = targets.flatMap((target) => firstQuestions(target, era));
  const replies = await ask(first.map(({ request }) => request));
  if (typeof replies === 'string') return replies;
  const opened = first.flatMap((question, index) => openedBy(question, replies[index]));
  const second = opened.map(({ target, fh }) => reading(target, fh, undefined, era));
  const more = second.length === 0 ? [] : await ask(second.map(({ request }) => request));
  if (typeof more === 'string') return more;
  const closed =
    opened.length === 0 ? [] : await ask(opened.map(({ target, fh }) => closing(target, fh, era)));
  if (typeof closed === 'string') return closed;
  return lookOf([...first, ...second], [...replies, ...more], era);
};

const firstQuestions = (target: LiveTarget, era: Era): Question[] => {
  const { symbol, type, handles } = target;
  const nodeid = era.bindings.get(symbol);
  const attributes = question(target, symbol, { name: 'GETATTR', header: { unique: 0n, nodeid } }, era);
  const more = { unique: 0n, nodeid };
  if (type === SYMLINK)
    return [attributes, question(target, undefined, { name: 'READLINK', header: more }, era)];
  if (!isOpenable(type)) return [attributes];
  if (handles.length === 0)
    return [attributes, question(target, undefined, { name: openers[type], header: more }, era)];
  return [attributes, ...handles.map((handle) => reading(target, era.bindings.get(handle), handle, era))];
};

const question = (
  target: LiveTarget,
  symbol: number | undefined,
  draft: RequestDraft & { readonly name: OperationName },
  { negotiated, bindings }: Era,
): Question => ({
  target,
  symbol,
  value: symbol === undefined ? 0n : bindings.get(symbol),
  by: draft.name,
  request: requestOf(draft, negotiated),
});

/** A request as cases have them, of which nothing depends on the life any more. */
export const requestOf = (
  draft: RequestDraft & { readonly name: OperationName },
  negotiated: Era['negotiated'],
): CaseRequest => ({
  op: operationNamed(draft.name),
  bytes: encodeRequest(draft, negotiated),
  patches: [],
  resent: false,
});

const reading = (target: LiveTarget, fh: bigint, symbol: number | undefined, era: Era): Question => {
  const name = target.type === DIRECTORY ? 'READDIR' : 'READ';
  const fields = { fh, offset: 0n, size: name === 'READDIR' ? LISTING_BYTES : HEAD_BYTES };
  const header = { unique: 0n, nodeid: era.bindings.get(target.symbol) };
  return question(target, symbol, { name, header, fields }, era);
};

const closing = (target: LiveTarget, fh: bigint, { bindings, negotiated }: Era): CaseRequest => {
  const header = { unique: 0n, nodeid: bindings.get(target.symbol) };
  return requestOf(
    { name: target.type === DIRECTORY ? closers[DIRECTORY] : closers[REGULAR], header, fields: { fh } },
    negotiated,
  );
};

const openedBy = (
  { by, target }: Question,
  reply: Uint8Array | undefined,
): { readonly target: LiveTarget; readonly fh: bigint }[] => {
  const opens = by === 'OPEN' || by === 'OPENDIR';
  if (!opens || reply === undefined || errorOf(reply) !== 0) return [];
  return [{ target, fh: u64At(reply, HANDLE_AT) }];
};

/** What replies to lookups of names tell; absent where nobody can tell. */
export const entryIn = (request: CaseRequest, reply: Uint8Array, era: Era): ObjectState | undefined => {
  const result = resultOf({ request }, reply, era);
  if (result.kind === 'error') return { scalars: {}, error: result.errno };
  return result.kind === 'good' ? { scalars: withoutTimes(result.told.scalars) } : undefined;
};

const resultOf = (
  { request }: Pick<Question, 'request'>,
  reply: Uint8Array,
  { negotiated }: Era,
): UseResult => {
  const errno = -errorOf(reply);
  if (errno !== 0) return { kind: 'error', errno };
  const asked = decodeRequest(request.bytes, negotiated);
  const answer = asked.kind === 'request' ? decodeReply(reply, asked, negotiated) : asked;
  const isClear = asked.kind === 'request' && answer.kind === 'reply';
  return { kind: 'good', told: isClear ? fingerprintOf(asked, answer) : { scalars: {} } };
};

const lookOf = (questions: readonly Question[], replies: readonly Uint8Array[], era: Era): Look => {
  const states = new Map<ObjectKey, ObjectState>();
  const uses = new Map<number, Use>();
  for (const [index, asked] of questions.entries()) {
    const reply = replies[index];
    if (reply === undefined) continue;
    const { target, symbol, value, by } = asked;
    const result = resultOf(asked, reply, era);
    const kind = by === 'GETATTR' ? 'node' : 'handle';
    if (symbol !== undefined) uses.set(symbol, { kind, object: target.key, value, by, result });
    states.set(target.key, withResult(states.get(target.key) ?? { scalars: {} }, by, result));
  }
  return { states, uses };
};

/** Times of the object change by reading it, or later than what changed it. */
const withoutTimes = ({ mtime, ctime, ...scalars }: Fingerprint['scalars']): Fingerprint['scalars'] =>
  scalars;

const withResult = (state: ObjectState, by: OperationName, result: UseResult): ObjectState => {
  if (result.kind === 'error') return by === 'GETATTR' ? { ...state, error: result.errno } : state;
  if (result.kind !== 'good') return state;
  const { scalars, data, names } = result.told;
  return {
    ...state,
    scalars: { ...state.scalars, ...withoutTimes(scalars) },
    ...(data !== undefined && { data: data.bytes.slice() }),
    ...(names?.complete === true && { names: names.known }),
  };
};

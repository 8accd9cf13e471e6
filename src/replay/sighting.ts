/**
 * What one look at an object of a running incarnation asks and what it finds: every id that it uses, and the object's state.
 * Scripts of questions, so that many objects can be looked at together; nothing here sends anything.
 */

import { Errno } from '../base/errno.js';
import type { ObjectState } from '../oracle/effects.js';
import { DIRECTORY, type Fingerprint, REGULAR, type Scalars, SYMLINK } from '../oracle/fingerprint.js';
import type { DecodedReply } from '../protocol/decode.js';
import type { RequestDraft } from '../protocol/encode.js';
import type { OperationName } from '../protocol/operations.js';

/** An object as the running incarnation knows it. */
export interface LiveObject {
  /** Names from the root between slashes, with one before the first; empty for the root. */
  readonly path: string;
  readonly nodeid: bigint;
  /** What its LOOKUP told. */
  readonly scalars: Scalars;
  /** Open file or directory; `undefined` when it was not opened. */
  readonly fh: bigint | undefined;
}

/** What came of one question. */
export type Answer =
  | { readonly kind: 'good'; readonly reply: DecodedReply; readonly told: Fingerprint }
  /** Positive; EIO for a reply that does not decode, as the kernel has it. */
  | { readonly kind: 'error'; readonly errno: number }
  | { readonly kind: 'silence' }
  | { readonly kind: 'ended' };

/** Questions, one after the other, each answered before the next. */
export type Script<T> = Generator<RequestDraft, T, Answer>;

/** An id of this incarnation in use. */
export interface Use {
  readonly kind: 'node' | 'handle';
  readonly value: bigint;
  readonly by: OperationName;
  readonly answer: Answer;
}

/** An object at one moment, and what came of each use of its ids. */
export interface Sighting {
  readonly object: LiveObject;
  readonly state: ObjectState;
  readonly uses: readonly Use[];
}

/** How closely to look. */
export interface SightOptions {
  /** Of a file's contents, from the start. */
  readonly bytes?: number;
  /** Extended attributes to ask for. */
  readonly xattrs?: readonly string[];
}

const BYTES = 4096;
const PIECE = 4096;
/** A directory that needs more pieces is not listed at all: half of its names would tell nothing. */
const MOST_PIECES = 64;
const VALUE_BYTES = 4096;
const openers: ReadonlyMap<unknown, readonly ['OPEN' | 'OPENDIR', 'RELEASE' | 'RELEASEDIR']> = new Map([
  [REGULAR, ['OPEN', 'RELEASE']],
  [DIRECTORY, ['OPENDIR', 'RELEASEDIR']],
]);

const draft = (name: OperationName, nodeid: bigint, fields: object = {}): RequestDraft =>
  ({ name, header: { unique: 0n, nodeid }, fields }) as RequestDraft;

/** Looks a name up; nothing when it is not there. */
export function* lookup(parent: bigint, path: string): Script<LiveObject | undefined> {
  const answer = yield draft('LOOKUP', parent, { name: path.slice(path.lastIndexOf('/') + 1) });
  if (answer.kind !== 'good' || !('nodeid' in answer.reply.fields) || answer.reply.fields.nodeid === 0n)
    return undefined;
  return { path, nodeid: answer.reply.fields.nodeid, scalars: answer.told.scalars, fh: undefined };
}

/** Opens a file or directory to stay open, a file for writing where the server allows it; others stay as they are. */
export function* open(object: LiveObject): Script<LiveObject> {
  const [opener] = openers.get(object.scalars.type) ?? [];
  if (opener === undefined) return object;
  // A stale handle can write only into what is open for it.
  for (const flags of opener === 'OPEN' ? [O_RDWR, 0] : [0]) {
    const answer = yield draft(opener, object.nodeid, { flags });
    if (answer.kind === 'good' && 'fh' in answer.reply.fields)
      return { ...object, fh: answer.reply.fields.fh };
  }
  return object;
}

const O_RDWR = 2;

/** Looks at an object by its nodeid, and at its contents by its own handle or one that is closed again. */
export function* sight(object: LiveObject, options: SightOptions = {}): Script<Sighting> {
  const uses: Use[] = [];
  const { nodeid } = object;
  const attributes = yield draft('GETATTR', nodeid);
  uses.push({ kind: 'node', value: nodeid, by: 'GETATTR', answer: attributes });
  if (attributes.kind !== 'good')
    return {
      object,
      uses,
      state: { scalars: {}, ...(attributes.kind === 'error' && { error: attributes.errno }) },
    };
  const { scalars } = attributes.told;
  const xattrs = yield* values(nodeid, options.xattrs ?? []);
  const held: Held = { object, scalars, uses };
  const inside = yield* insideOf(held, options.bytes ?? BYTES);
  return { object, uses, state: { scalars, ...inside, ...(xattrs && { xattrs }) } };
}

interface Held {
  readonly object: LiveObject;
  readonly scalars: Scalars;
  readonly uses: Use[];
}

type Inside = Partial<Pick<ObjectState, 'data' | 'names' | 'scalars'>>;

function* insideOf({ object, scalars, uses }: Held, bytes: number): Script<Inside> {
  const { nodeid } = object;
  if (scalars.type === SYMLINK) {
    const answer = yield draft('READLINK', nodeid);
    uses.push({ kind: 'node', value: nodeid, by: 'READLINK', answer });
    return answer.kind === 'good' ? { scalars: { ...scalars, ...answer.told.scalars } } : {};
  }
  const [opener, closer] = openers.get(scalars.type) ?? [];
  if (opener === undefined || closer === undefined) return {};
  if (object.fh !== undefined) return yield* readBy(object.fh, { object, scalars, uses }, bytes);
  const answer = yield draft(opener, nodeid);
  uses.push({ kind: 'node', value: nodeid, by: opener, answer });
  // Without OPEN and OPENDIR the kernel goes on with fh 0 and closes nothing.
  const isSpared = answer.kind === 'error' && answer.errno === Errno.ENOSYS;
  const fh = answer.kind === 'good' && 'fh' in answer.reply.fields ? answer.reply.fields.fh : undefined;
  if (fh === undefined && !isSpared) return {};
  const inside = yield* readBy(fh ?? 0n, { object: { ...object, fh: undefined }, scalars, uses }, bytes);
  if (fh !== undefined) yield draft(closer, nodeid, { fh });
  return inside;
}

/** Contents or names, by a handle; its use counts when it is the object's own. */
function* readBy(fh: bigint, { object, scalars, uses }: Held, bytes: number): Script<Inside> {
  const { nodeid } = object;
  const note = (by: OperationName, answer: Answer): Answer => {
    if (object.fh !== undefined) uses.push({ kind: 'handle', value: fh, by, answer });
    return answer;
  };
  if (scalars.type === DIRECTORY) return yield* list(nodeid, fh, note);
  const answer = note('READ', yield draft('READ', nodeid, { fh, offset: 0n, size: bytes }));
  if (answer.kind !== 'good' || answer.told.data === undefined) return {};
  const size = typeof scalars.size === 'bigint' ? Number(scalars.size) : bytes;
  return { data: answer.told.data.bytes.subarray(0, size) };
}

function* list(
  nodeid: bigint,
  fh: bigint,
  note: (by: OperationName, answer: Answer) => Answer,
): Script<Inside> {
  const names: string[] = [];
  let offset = 0n;
  for (let piece = 0; piece < MOST_PIECES; piece++) {
    const answer = yield draft('READDIR', nodeid, { fh, offset, size: PIECE });
    if (piece === 0) note('READDIR', answer);
    if (answer.kind !== 'good' || !('entries' in answer.reply.fields)) return {};
    const { entries } = answer.reply.fields;
    const last = entries.at(-1);
    if (last === undefined) return { names };
    names.push(...(answer.told.names?.known ?? []));
    offset = last.off;
  }
  return {};
}

function* values(
  nodeid: bigint,
  names: readonly string[],
): Script<Map<string, Uint8Array | undefined> | undefined> {
  if (names.length === 0) return undefined;
  const found = new Map<string, Uint8Array | undefined>();
  for (const name of names) {
    const answer = yield draft('GETXATTR', nodeid, { name, size: VALUE_BYTES });
    if (answer.kind === 'good') found.set(name, answer.told.xattr?.value);
    else if (answer.kind === 'error' && answer.errno === Errno.ENODATA) found.set(name, undefined);
  }
  return found;
}

/**
 * What a request really did: objects as they were before it and as they are after it, read with ids that are not stale.
 * Decides `wrong-object` by side effect, `lost` and `twice`.
 */

import { Errno, errnoName } from '../base/errno.js';
import { type DecodedRequest, decodeRequest } from '../protocol/decode.js';
import type { Fields } from '../protocol/layout.js';
import { factsSet } from './change.js';
import { DIRECTORY, type FactName, type Scalars } from './fingerprint.js';
import { factText } from './likeness.js';
import { judgementOf, type Probe, type Scene } from './probe.js';
import type { ObjectKey } from './seen.js';
import { bytesText } from './text.js';
import type { Judgement } from './verdict.js';

/** An object at one moment. */
export interface ObjectState {
  readonly scalars: Scalars;
  /** Contents from the start, as far as they were read; absent for what is no file. */
  readonly data?: Uint8Array;
  /** All names in a directory, without "." and "..". */
  readonly names?: readonly string[];
  /** Extended attributes that were asked for; `undefined` for one that is not there. */
  readonly xattrs?: ReadonlyMap<string, Uint8Array | undefined>;
  /** Errno, when it could not be read at all. */
  readonly error?: number;
}

/** An object before and after a request. */
export interface Observed {
  readonly key: ObjectKey;
  readonly before: ObjectState;
  readonly after: ObjectState;
  /** The request was to change it: it is named by the ids (as they were meant) or the names in the request. */
  readonly meant: boolean;
}

const ofFile: readonly FactName[] = [
  'type',
  'size',
  'mode',
  'uid',
  'gid',
  'rdev',
  'nlink',
  'target',
  'mtime',
  'ctime',
];
/** Times and links of a directory change with its names, which are compared for themselves. */
const ofDirectory: readonly FactName[] = ['type', 'mode', 'uid', 'gid'];

const scalarChanges = (before: Scalars, after: Scalars): string[] =>
  (before.type === DIRECTORY ? ofDirectory : ofFile).flatMap((name) => {
    const [old, now] = [before[name], after[name]];
    if (old === undefined || now === undefined || old === now) return [];
    return [`${name} ${factText(name, old)} became ${factText(name, now)}`];
  });

const dataChanges = ({ data: before }: ObjectState, { data: after }: ObjectState): string[] => {
  if (before === undefined || after === undefined || Buffer.compare(before, after) === 0) return [];
  return [`contents ${bytesText(before, after)} became ${bytesText(after, before)}`];
};

const nameChanges = ({ names: before }: ObjectState, { names: after }: ObjectState): string[] => {
  if (before === undefined || after === undefined) return [];
  const lost = before.filter((name) => !after.includes(name)).map((name) => `lost ${JSON.stringify(name)}`);
  const got = after.filter((name) => !before.includes(name)).map((name) => `got ${JSON.stringify(name)}`);
  return [...lost, ...got];
};

const sameValue = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0;

const xattrChanges = ({ xattrs: before }: ObjectState, { xattrs: after }: ObjectState): string[] =>
  [...(before ?? [])].flatMap(([name, value]) => {
    if (after?.has(name) !== true || sameValue(value, after.get(name))) return [];
    return [`attribute ${JSON.stringify(name)} changed`];
  });

/** What is different about an object, in words; nothing about access times and inode numbers. */
export const changesOf = (before: ObjectState, after: ObjectState): string[] => {
  if (before.error !== undefined) return [];
  if (after.error !== undefined) return [`cannot be read any more: ${errnoName(after.error)}`];
  return [
    ...scalarChanges(before.scalars, after.scalars),
    ...dataChanges(before, after),
    ...nameChanges(before, after),
    ...xattrChanges(before, after),
  ];
};

/** Whether an acknowledged change shows on what was meant. `hidden`: it would look the same either way. */
export type Shown = 'shown' | 'missing' | 'hidden';

const bytesAt = ({ data }: ObjectState, start: number, length: number): Uint8Array | undefined =>
  data === undefined || data.length < start + length ? undefined : data.subarray(start, start + length);

/** Whether a file was read as far as a place in it, or as far as it goes. */
const isReadTo = ({ data, scalars }: ObjectState, end: bigint): boolean =>
  data !== undefined &&
  (BigInt(data.length) >= end || (typeof scalars.size === 'bigint' && BigInt(data.length) >= scalars.size));

const written = (fields: Fields, { before, after }: Observed): Shown | undefined => {
  const { data, offset } = fields;
  if (!(data instanceof Uint8Array) || typeof offset !== 'bigint' || after.data === undefined)
    return undefined;
  if (!isReadTo(after, offset + BigInt(data.length))) return undefined;
  const now = bytesAt(after, Number(offset), data.length);
  if (sameValue(bytesAt(before, Number(offset), data.length), data)) return 'hidden';
  // With O_APPEND the server chooses the place.
  const end = after.data.subarray(Math.max(0, after.data.length - data.length));
  return sameValue(now, data) || sameValue(end, data) ? 'shown' : 'missing';
};

const attributesSet = (fields: Fields, { before, after }: Observed): Shown | undefined => {
  const names = Object.entries(factsSet(fields)) as [FactName, number | bigint][];
  const known = names.filter(([name]) => after.scalars[name] !== undefined);
  if (known.length === 0) return undefined;
  if (known.some(([name, value]) => after.scalars[name] !== value)) return 'missing';
  return known.some(([name, value]) => before.scalars[name] !== value) ? 'shown' : 'hidden';
};

const xattrSet = (fields: Fields, { before, after }: Observed): Shown | undefined => {
  const { name, value } = fields;
  if (typeof name !== 'string' || after.xattrs?.has(name) !== true) return undefined;
  const wanted = value instanceof Uint8Array ? value : undefined;
  if (!sameValue(after.xattrs.get(name), wanted)) return 'missing';
  return sameValue(before.xattrs?.get(name), wanted) ? 'hidden' : 'shown';
};

const hasName = ({ names }: ObjectState, name: unknown): boolean | undefined =>
  typeof name === 'string' && names !== undefined ? names.includes(name) : undefined;

/** Whether a name that should be there (or should not) is; `hidden` when it was so before. */
const nameIs = (name: unknown, wanted: boolean, { before, after }: Observed): Shown | undefined => {
  const now = hasName(after, name);
  if (now === undefined) return undefined;
  if (now !== wanted) return 'missing';
  return hasName(before, name) === wanted ? 'hidden' : 'shown';
};

const makesNode = ({ op }: DecodedRequest): boolean =>
  op?.ids.some(({ side, kind, act }) => side === 'reply' && kind === 'node' && act === 'create') === true;

/** Where the old name may be there afterwards, only a new one that is missing tells. */
const renamed = ({ oldname, newname }: Fields, [from, to]: readonly [Observed, Observed]) => {
  const got = nameIs(newname, true, to);
  // An exchange and a whiteout leave it, and so does rename(2) between two names of one file.
  if (got === 'missing' || hasName(from.after, oldname) !== false)
    return [got === 'missing' ? got : undefined];
  return [got, nameIs(oldname, false, from)];
};

const namesSet = (request: DecodedRequest, parents: readonly Observed[]): (Shown | undefined)[] => {
  const { name, oldname, newname }: Fields = request.fields;
  const [from, to = from] = parents;
  if (from === undefined || to === undefined) return [];
  if (oldname !== undefined) return renamed(request.fields, [from, to]);
  return [nameIs(name ?? newname, makesNode(request), from)];
};

const shownBy = (request: DecodedRequest, meant: readonly Observed[]): (Shown | undefined)[] => {
  const { op, fields } = request;
  if (op?.effect === 'data') return meant.map((one) => written(fields, one));
  if (op?.effect === 'attr') return meant.map((one) => attributesSet(fields, one));
  if (op?.effect === 'xattr') return meant.map((one) => xattrSet(fields, one));
  return op?.effect === 'name' ? namesSet(request, meant) : [];
};

/** Whether the change that a request asked for shows on the objects that it was for, directories in the order of the request. */
export const isShown = (request: DecodedRequest, meant: readonly Observed[]): Shown => {
  const all = shownBy(request, meant).filter((one) => one !== undefined);
  if (all.includes('missing')) return 'missing';
  return all.includes('shown') ? 'shown' : 'hidden';
};

const bystanders = (objects: readonly Observed[], scene: Scene): string[] =>
  objects
    .filter(({ meant }) => !meant)
    .flatMap(({ key, before, after }) =>
      changesOf(before, after).map((change) => `${scene.identities.nameOf(key)}: ${change}`),
    );

const requestOf = (probe: Probe, scene: Scene): DecodedRequest | undefined => {
  const request = decodeRequest(probe.request, scene.negotiated);
  return request.kind === 'request' ? request : undefined;
};

/** Judges by what is different in the backing store where no request may change it, in words; `undefined` for nothing. */
export const judgeStore = (
  probe: Probe,
  changes: readonly string[],
  scene: Pick<Scene, 'negotiated'>,
): Judgement | undefined =>
  changes.length === 0
    ? undefined
    : judgementOf(probe, scene, {
        verdict: 'wrong-object',
        evidence: ['changed in the backing store without being meant:', ...changes],
      });

/**
 * Judges by what a request changed: `wrong-object` when an object changed that was not meant (also when the reply was an
 * error), `lost` when it was acknowledged and nothing shows it, `recovered` when it shows; `undefined` when nothing can
 * be told.
 */
export const judgeEffects = (
  probe: Probe,
  { objects, acknowledged }: { readonly objects: readonly Observed[]; readonly acknowledged: boolean },
  scene: Scene,
): Judgement | undefined => {
  const request = requestOf(probe, scene);
  const changed = bystanders(objects, scene);
  if (changed.length > 0)
    return judgementOf(probe, scene, {
      verdict: 'wrong-object',
      evidence: ['changed without being meant:', ...changed],
    });
  const meant = objects.filter((one) => one.meant);
  if (request === undefined || meant.length === 0 || !acknowledged) return undefined;
  const shown = isShown(request, meant);
  const names = meant.map(({ key }) => scene.identities.nameOf(key)).join(' and ');
  if (shown === 'missing')
    return judgementOf(probe, scene, {
      verdict: 'lost',
      evidence: [`acknowledged, but ${names} does not show it, and nothing else changed`],
    });
  if (shown === 'hidden') return undefined;
  return judgementOf(probe, scene, {
    verdict: 'recovered',
    evidence: [`${names} shows the change, nothing else does`],
  });
};

const O_APPEND = 0o2000;

const appended = (fields: Fields, { before, after }: Observed): string[] => {
  const { data, flags } = fields;
  if (!(data instanceof Uint8Array) || data.length === 0) return [];
  if (typeof flags !== 'number' || (flags & O_APPEND) === 0) return [];
  const [old, now] = [before.scalars.size, after.scalars.size];
  if (typeof old !== 'bigint' || typeof now !== 'bigint') return [];
  const grown = now - old;
  if (grown < 2n * BigInt(data.length)) return [];
  return [`an append of ${data.length} bytes made ${grown}: size ${old} became ${now}`];
};

/** The first sending had done it, so the second one fails, and that is what the application hears. */
const refusedAgain = (request: DecodedRequest, error: number, parents: readonly Observed[]): string[] => {
  const { name, oldname, newname }: Fields = request.fields;
  const [parent] = parents;
  if (parent === undefined || request.op?.effect !== 'name') return [];
  const made = oldname === undefined && makesNode(request);
  const subject = oldname ?? name ?? newname;
  if (nameIs(subject, made, parent) !== 'shown') return [];
  const expected = made ? Errno.EEXIST : Errno.ENOENT;
  if (error !== expected) return [];
  const done = made ? 'was made' : 'was taken away';
  return [
    `${JSON.stringify(subject)} ${done} by the first sending, the application hears ${errnoName(error)}`,
  ];
};

/**
 * Judges a resent request: `twice` when its effect is there two times, or when the second sending failed because of the
 * first; `undefined` otherwise. `objects` as they were before the first sending. `error` is a positive errno or 0.
 */
export const judgeTwice = (
  probe: Probe,
  { objects, error }: { readonly objects: readonly Observed[]; readonly error: number },
  scene: Scene,
): Judgement | undefined => {
  const request = requestOf(probe, scene);
  if (request === undefined) return undefined;
  const meant = objects.filter((one) => one.meant);
  const evidence = [
    ...(request.op?.effect === 'data' ? meant.flatMap((one) => appended(request.fields, one)) : []),
    ...refusedAgain(request, error, meant),
  ];
  return evidence.length === 0 ? undefined : judgementOf(probe, scene, { verdict: 'twice', evidence });
};

/** Something that a request was to change, between its first sending, which was done, and its second, and after that. */
export interface Resent {
  /** An object or a name. */
  readonly what: string;
  readonly before: ObjectState;
  readonly after: ObjectState;
}

const replaced = ({ before, after }: Resent): string[] =>
  before.scalars.ino === undefined ||
  after.scalars.ino === undefined ||
  before.scalars.ino === after.scalars.ino
    ? []
    : ['is another object'];

/** Judges a request that was done and sent again: `twice` when the second sending changed anything; `undefined` otherwise. */
export const judgeResent = (probe: Probe, resent: readonly Resent[], scene: Scene): Judgement | undefined => {
  const evidence = resent.flatMap((one) =>
    [...replaced(one), ...changesOf(one.before, one.after)].map((change) => `${one.what}: ${change}`),
  );
  if (evidence.length === 0) return undefined;
  return judgementOf(probe, scene, {
    verdict: 'twice',
    evidence: ['it was done already, and changed more when it was sent again:', ...evidence],
  });
};

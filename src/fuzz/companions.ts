/**
 * Requests that go with the one a case is about: make a name there or not there, give back what will be used, look at live
 * ids afterwards. Which operations do that is read off the operation table.
 */

import type { Rng } from '../base/rng.js';
import { type NameDeed, nameShape } from '../plan/places.js';
import type { SymbolPatch } from '../plan/plan.js';
import { textOf } from '../protocol/byte-string.js';
import { requestContent } from '../protocol/content-sites.js';
import type { Negotiated } from '../protocol/negotiated.js';
import { type Operation, operations } from '../protocol/operations.js';
import { type Aim, aimAt, patchesOf } from './aim.js';
import type { CaseRequest } from './case.js';
import type { Cast, CastObject } from './cast.js';
import { closing, forgetting } from './lifecycle.js';
import { bodiesOf } from './made-up.js';
import { madeSeed, type Seed } from './seed.js';

/** A request of a case that is as it should be. */
export const plainRequest = ({ op, bytes }: Seed, patches: readonly SymbolPatch[]): CaseRequest => ({
  op,
  bytes,
  patches,
  resent: false,
});

/**
 * Requests, by live ids, after which the names of a seed are there if they will be taken away or moved, and are not if they
 * will be made. None when the seed changes no names, or the life does not know its directories.
 */
export const preparation = (seed: Seed, aim: Aim, { negotiated }: Cast, rng: Rng): CaseRequest[] => {
  if (seed.op.effect !== 'name') return [];
  const names = waysOf(seed, negotiated);
  // A new name may exist already: it is replaced, or exchanged.
  const wanted = names.length > 1 && rng.chance(0.5) ? names : names.slice(0, 1);
  return wanted.flatMap((ways, index) => {
    const prepared = rng.pick(ways);
    const directory = aim[index] ?? aim[0];
    if (prepared === undefined || directory?.live === undefined) return [];
    return [plainRequest(prepared, patchesOf(prepared, [directory], 'live'))];
  });
};

/** For each name of a seed the ways of preparing it. */
type Ways = readonly (readonly Seed[])[];

const knownWays = new WeakMap<Seed, Ways>();

const waysOf = (seed: Seed, session: Negotiated): Ways => {
  const found = knownWays.get(seed);
  if (found !== undefined) return found;
  const made = makeWays(seed, session);
  knownWays.set(seed, made);
  return made;
};

const makeWays = ({ op, bytes }: Seed, session: Negotiated): Ways => {
  const deed = deedOf(op, session);
  if (deed === undefined || deed === 'finds') return [];
  const makers = operations.filter((other) => prepares(other, deed === 'adds' ? 'removes' : 'adds', session));
  return requestContent(bytes, op, session)
    .filter(({ content }) => content === 'name')
    .map(({ start, end }) => makers.flatMap((maker) => plainOf(maker, [textOf(bytes, start, end)], session)));
};

const plainOf = (op: Operation, names: readonly string[], session: Negotiated): Seed[] =>
  bodiesOf(op, session, names)
    .slice(0, 1)
    .map((fields) => madeSeed(op, fields, session));

const deedOf = (op: Operation, session: Negotiated): NameDeed | undefined =>
  nameShape(op, session).shape?.deed;

/** By a name in one directory, without a handle that would have to be given back. */
const prepares = (op: Operation, deed: NameDeed, session: Negotiated): boolean =>
  op.sinceMinor <= session.minor &&
  deedOf(op, session) === deed &&
  op.request.filter(({ kind }) => kind === 'name').length === 1 &&
  !op.ids.some(
    ({ kind, part, side }) => kind === 'handle' || (kind === 'node' && part === 'body' && side === 'request'),
  );

/** Gives one lookup of a node of the later life back, or the handle of one; `undefined` when there is no such id. */
export const givingBack = (
  kind: 'node' | 'handle',
  object: CastObject,
  session: Negotiated,
): CaseRequest | undefined => {
  const op = kind === 'node' ? forgetting : closing[object.type];
  if (op === undefined || object.live === undefined) return undefined;
  const seed = seedsUnder(session, 'release').find((one) => one.op === op);
  return (
    seed &&
    plainRequest(
      seed,
      patchesOf(
        seed,
        seed.sites.map(() => object),
        'live',
      ),
    )
  );
};

/** A harmless question about a live object that is kept; `undefined` when the life knows none. */
export const lookAtLive = (cast: Cast, rng: Rng): CaseRequest | undefined => {
  const seed = rng.pick(seedsUnder(cast.negotiated, 'look'));
  const aim = seed && aimAt(seed, { cast, life: 'live', rng });
  return seed && aim && plainRequest(seed, patchesOf(seed, aim, 'live'));
};

type Purpose = 'look' | 'release';

const purposes: Readonly<Record<Purpose, (op: Operation) => boolean>> = {
  look: ({ effect, replyRule, ids, request }) =>
    effect === 'none' &&
    replyRule === 'always' &&
    ids.some(({ part, kind, type }) => part === 'header' && kind === 'node' && type === undefined) &&
    request.every(({ kind }) => kind === 'struct'),
  release: (op) => op === forgetting || Object.values(closing).includes(op),
};

const known = new WeakMap<Negotiated, Readonly<Record<Purpose, readonly Seed[]>>>();

const seedsUnder = (session: Negotiated, purpose: Purpose): readonly Seed[] => {
  const found = known.get(session) ?? {
    look: plainest(session, 'look'),
    release: plainest(session, 'release'),
  };
  known.set(session, found);
  return found[purpose];
};

const plainest = (session: Negotiated, purpose: Purpose): Seed[] =>
  operations
    .filter((op) => op.sinceMinor <= session.minor && purposes[purpose](op))
    .flatMap((op) => plainOf(op, [], session));

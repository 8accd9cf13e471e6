/** Fills the ids of a seed in: chooses the objects that a request is about, and makes patches and cases of them. */

import type { Rng } from '../base/rng.js';
import type { Patch, Shift, SymbolPatch } from '../plan/plan.js';
import type { Case, CaseRequest, Relation } from './case.js';
import type { Cast, CastObject, Held, Pool } from './cast.js';
import type { Seed, SeedSite } from './seed.js';

/** Whose numbers a request names its objects by: those of the first life, or of the life at hand. */
export type Life = 'old' | 'live';

/** An object for each site of a seed; a handle's site has that of its node. */
export type Aim = readonly CastObject[];

/** From which objects a node is chosen: by whose numbers, and whether the request gives one of them back. */
const pools = {
  old: { closed: 'old', open: 'oldOpen' },
  live: { closed: 'live', open: 'liveOpen' },
  spare: { closed: 'spare', open: 'spareOpen' },
} as const satisfies Readonly<Record<Life | 'spare', Readonly<Record<'closed' | 'open', keyof Cast>>>>;

/** How objects are chosen. */
export interface AimOrders {
  readonly cast: Cast;
  readonly life: Life;
  readonly rng: Rng;
  /** Site that the caller fills; what stands there does not give an id of the object back. */
  readonly except?: number;
  /** Only objects whose ids may be given back. */
  readonly spare?: boolean;
}

/**
 * Chooses an object for every site; `undefined` when the cast has none for one of them. Live ids are given back only of
 * spare objects.
 */
export const aimAt = (seed: Seed, orders: AimOrders): Aim | undefined => {
  const { life, except = -1, spare = false } = orders;
  const aim: CastObject[] = [];
  for (let index = 0; index < seed.sites.length; index++) {
    const site = seed.sites[index];
    if (site === undefined) return undefined;
    const kind = life === 'live' && (spare || isGivenBack(seed, index, except)) ? 'spare' : life;
    const object = site.use.kind === 'node' ? choose(site, kind, orders) : aim[index - 1];
    if (object === undefined) return undefined;
    aim.push(object);
  }
  return aim;
};

/** Whether the request gives the node at a site back, or the handle that follows it. */
const isGivenBack = ({ sites }: Seed, index: number, except: number): boolean => {
  const isReleased = (at: number): boolean => at !== except && sites[at]?.use.act === 'release';
  return isReleased(index) || (sites[index]?.open === true && isReleased(index + 1));
};

/** Whether filling a seed with live ids would give one of them back. */
export const givesBack = (seed: Seed, except = -1): boolean =>
  seed.sites.some((_, index) => isGivenBack(seed, index, except));

const choose = (site: SeedSite, kind: Life | 'spare', { cast, rng }: AimOrders): CastObject | undefined => {
  const pool: Pool = cast[pools[kind][site.open ? 'open' : 'closed']];
  const wanted = site.object === undefined ? undefined : cast.objects[site.object];
  return wanted !== undefined && pool.any.includes(wanted) ? wanted : rng.pick(pool[site.type]);
};

/** Ids of an object in a life. The object must have been chosen for that life. */
export const idsOf = (object: CastObject, life: Life): Held =>
  life === 'old' || object.live === undefined ? object.old : object.live;

/** The patch that puts a symbol's number, or one made from it, at a site. */
export const patchOf = ({ use, offset }: SeedSite, symbol: number, shift?: Shift): SymbolPatch =>
  shift === undefined
    ? { kind: 'symbol', offset, use, symbol }
    : { kind: 'symbol', offset, use, symbol, shift };

/** Patches that fill every site with the ids of a life; `except` leaves one site to the caller. */
export const patchesOf = (seed: Seed, aim: Aim, life: Life, except = -1): SymbolPatch[] => {
  const patches: SymbolPatch[] = [];
  for (const [index, site] of seed.sites.entries()) {
    const object = aim[index];
    if (object === undefined || index === except) continue;
    const held = idsOf(object, life);
    const symbol = site.use.kind === 'node' ? held.node : held.handle;
    if (symbol !== undefined) patches.push(patchOf(site, symbol));
  }
  return patches;
};

/** Nodes that a request may change, each once. */
export const meantBy = (aim: Aim, life: Life): number[] => {
  const nodes: number[] = [];
  for (const object of aim) {
    const { node } = idsOf(object, life);
    if (!nodes.includes(node)) nodes.push(node);
  }
  return nodes;
};

/** What is wrong with a single request. */
export interface Fault {
  readonly mutator: string;
  readonly relation: Relation;
  /** The seed's when absent. */
  readonly bytes?: Uint8Array;
  readonly patches: readonly Patch[];
  readonly meant: readonly number[];
  /** Requests that are right and come before it; none by default. */
  readonly before?: readonly CaseRequest[];
}

/**
 * A request that is right in its ids, with what else is wrong: live where the life has such objects, else old ones, which
 * then make the case a stale one. `undefined` when the cast has no object for it.
 */
export const aimed = (
  seed: Seed,
  orders: Omit<AimOrders, 'life'>,
): { readonly patches: SymbolPatch[]; readonly meant: number[]; readonly relation: Relation } | undefined => {
  for (const life of ['live', 'old'] as const) {
    const aim = aimAt(seed, { ...orders, life });
    if (aim === undefined) continue;
    const relation = life === 'old' && aim.length > 0 ? 'stale' : 'good';
    return { patches: patchesOf(seed, aim, life), meant: meantBy(aim, life), relation };
  }
  return undefined;
};

const NOTHING: readonly CaseRequest[] = [];

/** A case of one request, after what prepares for it. */
export const single = (
  { op, bytes: whole }: Seed,
  { mutator, relation, bytes = whole, patches, meant, before = NOTHING }: Fault,
): Case => ({
  mutator,
  relation,
  op: op.name,
  requests: [...before, { op, bytes, patches, resent: false }],
  wrong: before.length,
  meant,
});

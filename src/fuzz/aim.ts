/** Fills the ids of a seed in: chooses the objects that a request is about, and makes patches and cases of them. */

import type { Rng } from '../base/rng.js';
import type { Patch, Shift, SymbolPatch } from '../plan/plan.js';
import type { Case, Relation } from './case.js';
import type { Cast, CastObject, Held, Pool } from './cast.js';
import type { Seed, SeedSite } from './seed.js';

/** Whose numbers a request names its objects by: those of the first life, or of the life at hand. */
export type Life = 'old' | 'live';

/** An object for each site of a seed; a handle's site has that of its node. */
export type Aim = readonly CastObject[];

const pools = {
  old: { closed: 'old', open: 'oldOpen' },
  live: { closed: 'live', open: 'liveOpen' },
} as const satisfies Readonly<Record<Life, Readonly<Record<'closed' | 'open', keyof Cast>>>>;

/** Objects that may stand at the site of a node. */
export const poolFor = (cast: Cast, { open }: SeedSite, life: Life): Pool =>
  cast[pools[life][open ? 'open' : 'closed']];

/** Chooses an object for every site; `undefined` when the cast has none for one of them. */
export const aimAt = (seed: Seed, cast: Cast, life: Life, rng: Rng): Aim | undefined => {
  const aim: CastObject[] = [];
  for (const site of seed.sites) {
    const object = site.use.kind === 'node' ? choose(site, cast, life, rng) : aim.at(-1);
    if (object === undefined) return undefined;
    aim.push(object);
  }
  return aim;
};

const choose = (site: SeedSite, cast: Cast, life: Life, rng: Rng): CastObject | undefined => {
  const wanted = site.object === undefined ? undefined : cast.objects[site.object];
  if (wanted !== undefined && isReady(wanted, site, life)) return wanted;
  return rng.pick(poolFor(cast, site, life)[site.type]);
};

const isReady = (object: CastObject, { open }: SeedSite, life: Life): boolean => {
  const held = life === 'old' ? object.old : object.live;
  if (held === undefined || object.role !== 'kept') return false;
  return !open || held.handle !== undefined;
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
}

/** A case of one request. */
export const single = (
  { op, bytes: whole }: Seed,
  { mutator, relation, bytes = whole, patches, meant }: Fault,
): Case => ({
  mutator,
  relation,
  op: op.name,
  requests: [{ op, bytes, patches, resent: false }],
  wrong: 0,
  meant,
});

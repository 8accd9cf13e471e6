/** Mutators that put another number in the place of one id and leave the rest of the request right. */

import type { Rng } from '../../base/rng.js';
import type { Shift } from '../../plan/plan.js';
import { putU64At } from '../../protocol/raw.js';
import {
  type Aim,
  aimAt,
  type Fault,
  givesBack,
  type Life,
  meantBy,
  patchesOf,
  patchOf,
  single,
} from '../aim.js';
import type { Case, MutatorFamily, Relation } from '../case.js';
import type { Cast, CastObject } from '../cast.js';
import { preparation } from '../companions.js';
import type { Mutator } from '../mutator.js';
import type { Seed, SeedSite } from '../seed.js';

/** Which kind of id is replaced. */
export type Replaced = 'node' | 'handle';

/** The id that is to be replaced. */
export interface Target {
  readonly site: SeedSite;
  /** Whose id would be right here. */
  readonly object: CastObject;
  readonly life: Life;
  readonly cast: Cast;
  readonly rng: Rng;
}

/** What is put in its place: a symbol's number, one made from it, or a number of its own. */
export type Replacement = { readonly symbol: number; readonly shift?: Shift } | { readonly value: bigint };

/** A mutator of one kind of id. */
export interface ReplacingRow {
  /** Without the family. */
  readonly name: string;
  readonly relation: Relation;
  readonly weight: number;
  readonly why: string;
  readonly sendable: boolean;
  readonly kind: Replaced;
  /** Whose ids the request has otherwise, in the order of preference. */
  readonly around?: readonly Life[];
  /** Absent when the cast has nothing to put there. */
  readonly replace: (target: Target) => Replacement | undefined;
}

const families: Readonly<Record<Replaced, MutatorFamily>> = { node: 'nodeid', handle: 'fh' };
const LIVE_FIRST: readonly Life[] = ['live', 'old'];
const OLD_FIRST: readonly Life[] = ['old', 'live'];

/** A mutator that replaces one id. */
export const replacing = (row: ReplacingRow): Mutator => {
  const { kind, relation, weight, why, sendable, around = LIVE_FIRST } = row;
  const family = families[kind];
  const name = `${family}.${row.name}`;
  return {
    name,
    family,
    weight,
    why,
    sendable,
    make: (seed, cast, rng) => {
      const index = siteToReplace(seed, kind, rng);
      if (index < 0) return undefined;
      for (const life of preferred(seed, index, around)) {
        const aim = aimAt(seed, { cast, life, rng, except: index });
        if (aim !== undefined)
          return replaced(seed, { aim, life, index, cast, rng }, row, { name, relation });
      }
      return undefined;
    },
  };
};

/** What gives ids back is better filled with old ones: there are few live ones to spare. */
const preferred = (seed: Seed, index: number, around: readonly Life[]): readonly Life[] =>
  around.length > 1 && givesBack(seed, index) ? OLD_FIRST : around;

/** One of the sites of that kind; -1 when there is none. */
const siteToReplace = ({ sites }: Seed, kind: Replaced, rng: Rng): number => {
  let found = -1;
  let count = 0;
  for (let index = 0; index < sites.length; index++)
    if (sites[index]?.use.kind === kind && (count++ === 0 || rng.int(0, count - 1) === 0)) found = index;
  return found;
};

interface Replacing {
  readonly aim: Aim;
  readonly life: Life;
  /** Site that is replaced. */
  readonly index: number;
  readonly cast: Cast;
  readonly rng: Rng;
}

const replaced = (
  seed: Seed,
  { aim, life, index, cast, rng }: Replacing,
  { replace }: ReplacingRow,
  { name, relation }: { readonly name: string; readonly relation: Relation },
): Case | undefined => {
  const site = seed.sites[index];
  const object = aim[index];
  if (site === undefined || object === undefined) return undefined;
  const by = replace({ site, object, life, cast, rng });
  if (by === undefined) return undefined;
  const patches = patchesOf(seed, aim, life, index);
  const meant = meantBy(aim, life);
  const before = preparation(seed, aim, cast, rng);
  const fault: Fault = { mutator: name, relation, patches, meant, before };
  if ('value' in by) return single(seed, { ...fault, bytes: withNumber(seed.bytes, site.offset, by.value) });
  patches.push(patchOf(site, by.symbol, by.shift));
  const named = by.shift === undefined ? nodeNamedBy(by.symbol, cast) : undefined;
  if (named !== undefined && !meant.includes(named)) meant.push(named);
  return single(seed, fault);
};

/** The node that a number was minted for; `undefined` for an address. */
const nodeNamedBy = (symbol: number, { symbols }: Cast): number | undefined => {
  const found = symbols[symbol];
  if (found?.origin === 'memory') return undefined;
  return found?.kind === 'handle' ? found.node : symbol;
};

const withNumber = (bytes: Uint8Array, offset: number, value: bigint): Uint8Array => {
  const copy = new Uint8Array(bytes);
  putU64At(copy, offset, value);
  return copy;
};

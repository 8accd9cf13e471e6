/**
 * The cast of a campaign: a few objects of the file system with the symbols of the ids that they have in the server's first
 * life and in a later one. How those ids are got is in `prologue.ts`; no server is known here.
 */

import {
  blankSymbol,
  type MemoryPlace,
  memoryPlaces,
  type Plan,
  type PlanSymbol,
  ROOT_SYMBOL,
} from '../plan/plan.js';
import type { Negotiated } from '../protocol/negotiated.js';
import type { ObjectType } from '../protocol/operation.js';
import type { Relookup } from '../replay/inspector.js';
import { type Candidate, candidatesIn } from './candidates.js';
import { opening } from './lifecycle.js';

/** Type of an object; `other` is a device, a pipe or a socket. */
export type CastType = ObjectType | 'other';

/** Symbols of an object in one life. */
export interface Held {
  readonly node: number;
  /** Absent when it was not opened. */
  readonly handle: number | undefined;
}

/**
 * What becomes of an object's ids in the later life: `kept` are held to the end, `spare` too, but a case may give them back,
 * `forgotten` are given back before the first case.
 */
export type Role = 'kept' | 'spare' | 'forgotten';

/** An object. */
export interface CastObject {
  /** Its place in `Cast.objects`. */
  readonly index: number;
  /** From the root, such as `/a/b`; the root itself is `/`. */
  readonly path: string;
  /** Last part of the path; empty for the root. */
  readonly name: string;
  readonly type: CastType;
  /** Absent for the root. */
  readonly parent: CastObject | undefined;
  readonly role: Role;
  /** Ids of the first life. */
  readonly old: Held;
  /** Ids that the later life holds; absent when it never looked the object up, or forgot it. */
  readonly live: Held | undefined;
  /** Node that the later life handed out and was given back. */
  readonly forgotten: number | undefined;
  /** Handle that the later life handed out and was given back. */
  readonly released: number | undefined;
}

/** Objects by type. */
export type Pool = Readonly<Record<CastType | 'any', readonly CastObject[]>>;

/** The objects, and those of them that mutators choose from. */
export interface Cast {
  readonly negotiated: Negotiated;
  /** The names of all numbers, in the manner of a plan's; symbol 0 is the root. */
  readonly symbols: readonly PlanSymbol[];
  /** Parents before children; the root is the first. */
  readonly objects: readonly CastObject[];
  /** Symbols of addresses in the memory of the first life (0) and the later one (1). */
  readonly memory: readonly [readonly number[], readonly number[]];
  /** Those with a node of the first life (all but the root), and of those the ones that were open. */
  readonly old: Pool;
  readonly oldOpen: Pool;
  /** Kept ones with a node of the later life, and of those the open ones. */
  readonly live: Pool;
  readonly liveOpen: Pool;
  /** Spare ones with a node of the later life, and of those the open ones. */
  readonly spare: Pool;
  readonly spareOpen: Pool;
  readonly forgotten: Pool;
  readonly released: Pool;
}

/** How a cast is chosen. */
export interface CastOptions {
  /** Most objects besides the root; 48 by default. */
  readonly size?: number;
}

const SIZE = 48;
/** Of the kept objects every so many-th has a second handle, which is released. */
const RELEASED_EVERY = 3;
const TYPES: readonly CastType[] = ['file', 'directory', 'symlink', 'other'];

/** Chooses objects of a plan that can be found again by their paths. The same plan gives the same cast. */
export const castFrom = (plan: Plan, { size = SIZE }: CastOptions = {}): Cast => {
  const symbols = new SymbolList();
  const objects = namedObjects(candidatesIn(plan, size), symbols);
  const memory = [symbols.spots(0), symbols.spots(1)] as const;
  return pooled({ negotiated: plan.negotiated, symbols: symbols.all, objects, memory });
};

/**
 * The cast as a life has it that looked up and opened as told, in a session that may be another one: ids that such a life
 * does not have are absent. Symbols stay the same.
 */
export const castUnder = (cast: Cast, relookup: Relookup, negotiated = cast.negotiated): Cast => {
  if (relookup === 'shuffled+open') return { ...cast, negotiated };
  const without = relookup === 'none' ? unseen : unopened;
  const parents = new Map<CastObject, CastObject>();
  const objects = cast.objects.map((object) => {
    const changed = without(object, object.parent && parents.get(object.parent));
    parents.set(object, changed);
    return changed;
  });
  const { symbols, memory } = cast;
  return pooled({ negotiated, symbols, objects, memory });
};

const unopened = (object: CastObject, parent: CastObject | undefined): CastObject => ({
  ...object,
  parent,
  live: object.live && { node: object.live.node, handle: undefined },
  released: undefined,
});

const unseen = (object: CastObject, parent: CastObject | undefined): CastObject => ({
  ...unopened(object, parent),
  live: parent === undefined ? { node: ROOT_SYMBOL, handle: undefined } : undefined,
  forgotten: undefined,
});

type Parts = Pick<Cast, 'negotiated' | 'symbols' | 'objects' | 'memory'>;

const pooled = (parts: Parts): Cast => {
  const pool = (wanted: (object: CastObject) => boolean): Pool => poolOf(parts.objects.filter(wanted));
  const isKept = ({ role }: CastObject): boolean => role === 'kept';
  return {
    ...parts,
    old: pool(({ parent }) => parent !== undefined),
    oldOpen: pool(({ old }) => old.handle !== undefined),
    live: pool((object) => isKept(object) && object.live !== undefined),
    liveOpen: pool((object) => isKept(object) && object.live?.handle !== undefined),
    spare: pool(({ role, live }) => role === 'spare' && live !== undefined),
    spareOpen: pool(({ role, live }) => role === 'spare' && live?.handle !== undefined),
    forgotten: pool(({ forgotten }) => forgotten !== undefined),
    released: pool(({ released }) => released !== undefined),
  };
};

const poolOf = (objects: readonly CastObject[]): Pool => {
  const of = (type: CastType): readonly CastObject[] => objects.filter((object) => object.type === type);
  return {
    any: objects,
    file: of('file'),
    directory: of('directory'),
    symlink: of('symlink'),
    other: of('other'),
  };
};

/** Roles by candidate: of each type the last leaves are forgotten or spare, if enough are left to be kept. */
const rolesOf = (candidates: readonly Candidate[]): ReadonlyMap<Candidate, Role> => {
  const parents = new Set(candidates.map(({ parent }) => parent));
  const roles = new Map<Candidate, Role>();
  for (const type of TYPES) {
    const leaves = candidates.filter((one) => one.type === type && !parents.has(one));
    const some = Math.ceil(leaves.length / 8);
    if (leaves.length >= 3) for (const leaf of leaves.slice(-some)) roles.set(leaf, 'spare');
    if (leaves.length >= 4) for (const leaf of leaves.slice(-2 * some, -some)) roles.set(leaf, 'forgotten');
  }
  return roles;
};

const namedObjects = (candidates: readonly Candidate[], symbols: SymbolList): CastObject[] => {
  const roles = rolesOf(candidates);
  const made = new Map<Candidate, CastObject>();
  for (const [index, candidate] of candidates.entries()) {
    const parent = candidate.parent && made.get(candidate.parent);
    const role = roles.get(candidate) ?? 'kept';
    made.set(
      candidate,
      symbols.object(candidate, { index, parent, role, again: index % RELEASED_EVERY === 0 }),
    );
  }
  return [...made.values()];
};

interface Standing {
  readonly index: number;
  readonly parent: CastObject | undefined;
  readonly role: Role;
  /** Whether it has a second handle. */
  readonly again: boolean;
}

/** Numbers the symbols. */
class SymbolList {
  readonly all: PlanSymbol[] = [{ ...nameless, id: ROOT_SYMBOL, origin: 'root', path: '/', recorded: 1n }];

  object(candidate: Candidate, { index, parent, role, again }: Standing): CastObject {
    const { path, type } = candidate;
    const name = path.slice(path.lastIndexOf('/') + 1);
    const old = this.#held(candidate);
    const fresh = this.#held(candidate);
    const isForgotten = role === 'forgotten';
    const second = again && !isForgotten && type === 'file' ? this.#handle(candidate, fresh.node) : undefined;
    return {
      index,
      path,
      name,
      type,
      parent,
      role,
      old,
      live: isForgotten ? undefined : fresh,
      forgotten: isForgotten ? fresh.node : undefined,
      released: isForgotten ? fresh.handle : second,
    };
  }

  spots(incarnation: number): number[] {
    return memoryPlaces.map((place: MemoryPlace) =>
      this.#add({ ...nameless, origin: 'memory', spot: { place, incarnation } }),
    );
  }

  #held(candidate: Candidate): Held {
    const { path, mode, parent } = candidate;
    const node = parent === undefined ? ROOT_SYMBOL : this.#add({ ...nameless, path, type: mode });
    return { node, handle: opening[candidate.type] && this.#handle(candidate, node) };
  }

  #handle({ path }: Candidate, node: number): number {
    return this.#add({ ...nameless, kind: 'handle', node, path });
  }

  #add(symbol: Omit<PlanSymbol, 'id'>): number {
    return this.all.push({ ...symbol, id: this.all.length }) - 1;
  }
}

const nameless = { ...blankSymbol, origin: 'step' } as const;

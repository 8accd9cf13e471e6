/**
 * The objects behind the symbols of a plan, over all lives of its server: which symbols name one and the same object, which of
 * them are old, and what is known of each. It talks to no server.
 */

import { DIRECTORY, type Fingerprint } from '../oracle/fingerprint.js';
import { Identities } from '../oracle/identity.js';
import type { Probe, StaleId } from '../oracle/probe.js';
import { accountOf, type ObjectKey, type StepIds } from '../oracle/seen.js';
import type { Bindings } from '../plan/bindings.js';
import { type Patch, type PlanSymbol, ROOT_SYMBOL, type SymbolPatch } from '../plan/plan.js';
import { shifted } from '../plan/shift.js';
import { decodeRequest } from '../protocol/decode.js';
import { requestIdMap, visitIds } from '../protocol/id-sites.js';
import { node } from '../protocol/id-uses.js';
import type { Fields } from '../protocol/layout.js';
import type { Negotiated } from '../protocol/negotiated.js';
import type { Operation } from '../protocol/operations.js';
import { u64At } from '../protocol/raw.js';
import type { CaseRequest } from './case.js';
import { fillRequest } from './fill.js';
import type { Preparation, PreparingStep } from './preparation.js';

/** A life of the server, as far as what it says depends on it. */
export interface Era {
  /** How many lives there were before it. */
  readonly life: number;
  readonly negotiated: Negotiated;
  readonly bindings: Bindings;
  /** The store was changed before it began. */
  readonly isStoreChanged: boolean;
}

/** An object that the running life handed out ids for. */
export interface LiveTarget {
  readonly key: ObjectKey;
  readonly symbol: number;
  /** `mode & S_IFMT`; absent when nobody knows. */
  readonly type: number | undefined;
  /** Symbols of its open files. */
  readonly handles: readonly number[];
}

const withoutSlashes = (path: string): string => path.replace(/^\/+|\/+$/g, '');

/** What is known, up to one last life. */
export class World {
  readonly #identities: Identities;
  /** What was told and not taken yet: most lives end before anybody asks. */
  #told: (() => void)[] = [];
  readonly #symbols: Preparation['symbols'];
  readonly #last: number;
  /** Incarnation that mints a symbol. */
  readonly #goneWith = new Map<number, number[]>();
  readonly #mintedIn = new Map<number, number>();
  readonly #keys: readonly ObjectKey[];
  readonly #byPath = new Map<string, ObjectKey>();
  /** Symbols that a step gives back in the life that minted them. */
  readonly #released = new Set<number>();

  constructor({ symbols, lives }: Pick<Preparation, 'symbols' | 'lives'>, negotiated: Negotiated) {
    this.#symbols = symbols;
    this.#last = lives.length - 1;
    for (const [incarnation, steps] of lives.entries())
      for (const { mints } of steps) for (const { symbol } of mints) this.#mintedIn.set(symbol, incarnation);
    for (const [incarnation, steps] of lives.entries())
      for (const { patches } of steps)
        for (const one of releasedBy(patches))
          if (this.#mintedIn.get(one) === incarnation) this.#released.add(one);
    this.#keys = [...symbols].map((symbol) => this.#keyFor(symbol));
    this.#identities = new Identities({ negotiated, nameOf: (key) => this.nameOf(key) });
  }

  /** What is known of the objects. */
  get identities(): Identities {
    for (const take of this.#told.splice(0)) take();
    return this.#identities;
  }

  /** The object that a node is, or that an open file is of. */
  keyOf(symbol: number): ObjectKey {
    return this.#keys[symbol] ?? symbol;
  }

  /** Where an object is below the root, which is at '/'; `undefined` when the plan does not know. */
  pathOf(key: ObjectKey): string | undefined {
    const { path } = this.#symbols.at(key) ?? { path: undefined };
    if (key === ROOT_SYMBOL) return '/';
    return path === undefined ? undefined : `/${withoutSlashes(path)}`;
  }

  /** How people call an object. */
  nameOf(key: ObjectKey): string {
    const { path } = this.#symbols.at(key) ?? { path: undefined };
    return path === undefined || path === '' ? `node %${key}` : path;
  }

  /** The object at a path below another; `undefined` when the plan does not know it. */
  childOf(directory: ObjectKey, name: string): ObjectKey | undefined {
    const { path } = this.#symbols.at(directory) ?? { path: undefined };
    return path === undefined ? undefined : this.#byPath.get(withoutSlashes(`${path}/${name}`));
  }

  /** Whether a symbol was minted by the steps of an incarnation, by default the last, and not given back by them. */
  isLive(symbol: number, incarnation = this.#last): boolean {
    if (symbol === ROOT_SYMBOL) return true;
    return this.#mintedIn.get(symbol) === incarnation && !this.#released.has(symbol);
  }

  /** A live id and what cannot outlast it: handles that are open on a node, which no kernel forgets before they are closed. */
  goneWith(symbol: number): number[] {
    if (!this.isLive(symbol)) return [];
    const known = this.#goneWith.get(symbol);
    if (known !== undefined) return known;
    const gone = [...this.#symbols].filter(({ id, node }) => id === symbol || node === symbol);
    const ids = gone.map(({ id }) => id);
    this.#goneWith.set(symbol, ids);
    return ids;
  }

  /** Whether a request uses an id as it was once minted, which the running life does not vouch for. */
  usesOld({ patches }: CaseRequest): boolean {
    return patches.some(
      (patch) => isPlain(patch) && this.#mintedIn.has(patch.symbol) && !this.isLive(patch.symbol),
    );
  }

  /** What the steps of an incarnation got ids for that still count, the root first. */
  targets(bindings: Bindings, incarnation: number): LiveTarget[] {
    const live = [...this.#symbols].filter(({ id }) => this.isLive(id, incarnation) && bindings.isBound(id));
    const nodes = live.filter(({ kind }) => kind === 'node');
    const handles = live.filter(({ kind }) => kind === 'handle');
    return nodes.map(({ id, type }) => ({
      key: this.keyOf(id),
      symbol: id,
      type: id === ROOT_SYMBOL ? DIRECTORY : type,
      handles: handles.filter((handle) => handle.node === id).map((handle) => handle.id),
    }));
  }

  /** Takes the good reply to a step of a life; the bytes must stay as they are. */
  learn(step: PreparingStep, reply: Uint8Array, era: Era): void {
    this.#told.push(() => {
      const ids = this.#idsOf(step);
      if (era.life === 0) this.#identities.observe(ids, reply, 0);
      else
        for (const { key, told } of accountOf(ids, reply, era.negotiated)?.told ?? [])
          this.#meet(key, told, era);
    });
  }

  /** Takes what a life told about an object by ids of its own. */
  meet(key: ObjectKey, told: Fingerprint, era: Era): void {
    this.#told.push(() => this.#meet(key, told, era));
  }

  /** Forgets of some objects what a request may change. */
  doubt(keys: Iterable<ObjectKey>, { op, bytes }: CaseRequest, { life }: Era): void {
    for (const symbol of keys)
      this.#told.push(() => {
        // What was met is taken when the first question comes, and doubts before it: so there is a question.
        this.#identities.factsOf(symbol);
        const step = { op, template: bytes, reply: undefined, mints: [] };
        this.#identities.unanswered({ ...step, patches: [{ use: node, symbol }] }, life);
      });
  }

  /** Objects that the ids of a request were minted for, in its order. */
  namedBy({ patches }: CaseRequest): ObjectKey[] {
    return patches.filter(isPlain).map(({ symbol }) => this.keyOf(symbol));
  }

  /** Objects that a request may change lawfully: those that its ids were minted for and its names lead to. */
  meantBy(asked: CaseRequest, negotiated: Negotiated): ObjectKey[] {
    const { op, bytes } = asked;
    const named = this.namedBy(asked);
    if (op?.effect !== 'name') return named;
    const request = decodeRequest(bytes, negotiated);
    if (request.kind !== 'request') return named;
    const { name, oldname, newname }: Fields = request.fields;
    const names = [name, oldname, newname].filter((one) => typeof one === 'string');
    return [...named, ...named.flatMap((key) => names.flatMap((one) => this.childOf(key, one) ?? []))];
  }

  /** Objects of the running life that a request names by chance: by numbers that are no ids of theirs but happen to be equal. */
  hitBy(request: CaseRequest, { bindings, negotiated }: Era): ObjectKey[] {
    const { op, patches } = request;
    if (op === undefined) return [];
    const hit: ObjectKey[] = [];
    const frame = frameOf(request, bindings);
    visitIds(requestIdMap(op, negotiated), frame, ({ kind }, at) => {
      if ((kind !== 'node' && kind !== 'handle') || patches.some((one) => one.offset === at && isPlain(one)))
        return;
      const key = this.#objectAt(kind, u64At(frame, at), bindings);
      if (key !== undefined) hit.push(key);
    });
    return hit;
  }

  /** A request as the oracle sees it. `frame` is what was sent. */
  probeOf(request: CaseRequest, frame: Uint8Array, { bindings, negotiated }: Era): Probe {
    const stale = [
      ...request.patches.flatMap((patch) =>
        patch.kind === 'symbol' ? (this.#wrongId(patch, request, bindings) ?? []) : [],
      ),
      ...constantsIn(request, frame, negotiated),
    ];
    return {
      request: frame,
      stale,
      subject: this.#subjectOf(request, frame, negotiated),
      recorded: undefined,
    };
  }

  /** The object of the one live id of a kind that is this number. */
  #objectAt(kind: 'node' | 'handle', value: bigint, bindings: Bindings): ObjectKey | undefined {
    const [found, ...more] = [...this.#symbols].filter(
      (one) => one.kind === kind && this.isLive(one.id) && bindings.get(one.id) === value,
    );
    return found === undefined || more.length > 0 ? undefined : this.keyOf(found.id);
  }

  #meet(key: ObjectKey, told: Fingerprint, { life, isStoreChanged }: Era): void {
    this.#identities.meet(key, told, { incarnation: life, isStoreChanged });
  }

  #keyFor(symbol: PlanSymbol): ObjectKey {
    if (symbol.kind === 'handle') {
      const of = this.#symbols.at(symbol.node ?? -1);
      return of === undefined ? symbol.id : this.#keyFor(of);
    }
    if (symbol.id === ROOT_SYMBOL) return ROOT_SYMBOL;
    if (symbol.path === undefined || symbol.origin === 'memory') return symbol.id;
    const path = withoutSlashes(symbol.path);
    const key = path === '' ? ROOT_SYMBOL : (this.#byPath.get(path) ?? symbol.id);
    this.#byPath.set(path, key);
    return key;
  }

  #idsOf({ op, bytes, patches, mints }: PreparingStep): StepIds {
    return {
      op,
      template: bytes,
      reply: undefined,
      patches: patches.map((patch) =>
        patch.kind === 'symbol' ? { use: patch.use, symbol: this.keyOf(patch.symbol) } : { use: patch.use },
      ),
      mints: mints.map((mint) => ({ ...mint, symbol: this.keyOf(mint.symbol) })),
    };
  }

  /** What is wrong about an id of a request; `undefined` for one that is right. */
  #wrongId(patch: SymbolPatch, request: CaseRequest, bindings: Bindings): StaleId | undefined {
    const { symbol, shift, use } = patch;
    const known = this.#symbols.at(symbol);
    if (known === undefined || (use.kind !== 'node' && use.kind !== 'handle')) return undefined;
    const bound = bindings.get(symbol);
    const value = shift === undefined ? bound : shifted(bound, shift);
    const id = {
      kind: use.kind,
      symbol,
      value,
      minted: this.#mintedIn.get(symbol) ?? known.spot?.incarnation ?? 0,
    };
    const name = this.nameOf(this.keyOf(symbol));
    if (known.origin === 'memory') return { ...id, was: `an address (${known.spot?.place ?? 'memory'})` };
    if (shift !== undefined) return { ...id, was: `near ${name}` };
    const isMisplaced = known.kind !== use.kind || this.#isOfAnother(patch, request);
    return !this.isLive(symbol) || isMisplaced ? { ...id, was: name } : undefined;
  }

  /** A handle beside the nodeid of another object. */
  #isOfAnother({ use, symbol }: SymbolPatch, { patches }: CaseRequest): boolean {
    if (use.kind !== 'handle') return false;
    const header = patches.find((patch) => isPlain(patch) && patch.use.part === 'header');
    return header?.kind === 'symbol' && this.keyOf(header.symbol) !== this.keyOf(symbol);
  }

  /** The object that a good reply should tell about, where all ids that name one agree. */
  #subjectOf(request: CaseRequest, frame: Uint8Array, negotiated: Negotiated): ObjectKey | undefined {
    const { op, patches } = request;
    const keys = new Set(
      patches
        .filter((patch) => isPlain(patch) && (patch.use.part === 'header' || patch.use.kind === 'handle'))
        .map((patch) => (patch.kind === 'symbol' ? this.keyOf(patch.symbol) : ROOT_SYMBOL)),
    );
    const [key] = keys;
    if (key === undefined || keys.size > 1 || op === undefined) return undefined;
    if (!givesNode(op)) return key;
    const decoded = decodeRequest(frame, negotiated);
    const { name }: Fields = decoded.kind === 'request' ? decoded.fields : {};
    return typeof name === 'string' ? this.childOf(key, name) : undefined;
  }
}

const frameOf = (request: CaseRequest, bindings: Bindings): Uint8Array => {
  const into = new Uint8Array(request.bytes.length);
  fillRequest(request, { into, number: 1, bindings, numberOf: () => 1 });
  return into;
};

/** Symbols that a request gives back, as they are. */
export const releasedBy = (patches: readonly Patch[]): number[] =>
  patches.flatMap((patch) => (isPlain(patch) && patch.use.act === 'release' ? [patch.symbol] : []));

const isPlain = (patch: Patch): patch is SymbolPatch => patch.kind === 'symbol' && patch.shift === undefined;

const givesNode = ({ ids }: Operation): boolean =>
  ids.some(({ side, kind, each }) => side === 'reply' && kind === 'node' && each === undefined);

/** Ids that are neither a symbol nor made from one; the root is none of them. */
const constantsIn = ({ op, patches }: CaseRequest, frame: Uint8Array, negotiated: Negotiated): StaleId[] => {
  const found: StaleId[] = [];
  if (op === undefined) return found;
  visitIds(requestIdMap(op, negotiated), frame, ({ kind }, at) => {
    if ((kind !== 'node' && kind !== 'handle') || patches.some(({ offset }) => offset === at)) return;
    const value = u64At(frame, at);
    if (kind === 'node' && value === 1n) return;
    found.push({ kind, symbol: ROOT_SYMBOL, value, minted: 0, was: 'nothing' });
  });
  return found;
};

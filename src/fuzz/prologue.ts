/**
 * The requests by which a life of the server gets to know the cast: lookups, parents first, then opens, then what is given
 * back again. They are only made here; sending and binding is somebody else's.
 */

import type { Rng } from '../base/rng.js';
import type { Mint, Patch } from '../plan/plan.js';
import { encodeRequest } from '../protocol/encode.js';
import { type IdMap, replyIdMap, requestIdMap } from '../protocol/id-sites.js';
import type { Fields } from '../protocol/layout.js';
import type { IdAct, IdUse } from '../protocol/operation.js';
import type { Operation } from '../protocol/operations.js';
import type { Relookup } from '../replay/inspector.js';
import type { Cast, CastObject, Held } from './cast.js';
import { closing, finding, forgetting, opening } from './lifecycle.js';

/** A request of a prologue. It is sent when the one before it was answered. */
export interface PrologueStep {
  readonly incarnation: 0 | 1;
  readonly op: Operation;
  readonly bytes: Uint8Array;
  readonly patches: readonly Patch[];
  readonly mints: readonly Mint[];
  /** Other frames with the same patches and mints, each for when the one before was refused. */
  readonly instead: readonly Uint8Array[];
}

const O_RDONLY = 0;
const O_RDWR = 2;

/** What the first life looks up and opens. */
export const firstLife = (cast: Cast): PrologueStep[] => {
  const maker = new StepMaker(cast, 0);
  const { objects } = cast;
  return [
    ...objects.flatMap((object) => maker.lookup(object, object.old, (parent) => parent.old)),
    ...objects.flatMap((object) => maker.open(object, object.old.node, object.old.handle)),
  ];
};

/** What a later life looks up and opens before the cases, and gives back again. `cast` is what such a life has (`castUnder`). */
export const laterLife = (cast: Cast, relookup: Relookup, rng: Rng): PrologueStep[] => {
  const maker = new StepMaker(cast, 1);
  const objects = relookup === 'same' ? cast.objects : inAnyOrder(cast.objects, rng);
  const held = objects.map((object) => ({ object, ...heldIn(object) }));
  return [
    ...held.flatMap(({ object, node }) =>
      node === undefined ? [] : maker.lookup(object, { node }, (parent) => parent.live),
    ),
    ...held.flatMap(({ object, node, handle }) => maker.open(object, node, handle)),
    // Second handles come after all others: a number that is free again must not become that of a live one.
    ...held.flatMap(({ object, node, again }) => maker.open(object, node, again)),
    ...held.flatMap(({ object, node }) => maker.close(object, node, object.released)),
    ...held.flatMap(({ object }) => maker.forget(object)),
  ];
};

interface HeldAtFirst {
  readonly node: number | undefined;
  readonly handle: number | undefined;
  readonly again: number | undefined;
}

/** What a life holds of an object before it gives anything back. */
const heldIn = ({ live, forgotten, released }: CastObject): HeldAtFirst =>
  live === undefined ? { node: forgotten, handle: undefined, again: released } : { ...live, again: released };

/** Parents first. */
const inAnyOrder = (objects: readonly CastObject[], rng: Rng): CastObject[] =>
  rng.shuffle(objects).sort((a, b) => depthOf(a) - depthOf(b));

const depthOf = ({ parent }: CastObject): number => (parent === undefined ? 0 : 1 + depthOf(parent));

/** Where the one id of a kind is in a message. */
const placeOf = ({ places }: IdMap, kind: IdUse['kind'], act: IdAct): { use: IdUse; offset: number } => {
  const place = places.find(({ use }) => use.kind === kind && use.act === act);
  if (place === undefined) throw new Error(`no ${kind} to ${act} in this message`);
  return { use: place.use, offset: place.at };
};

/** Makes the requests of one life. */
class StepMaker {
  readonly #cast: Cast;
  readonly #incarnation: 0 | 1;

  constructor(cast: Cast, incarnation: 0 | 1) {
    this.#cast = cast;
    this.#incarnation = incarnation;
  }

  lookup(
    { name, parent }: CastObject,
    { node }: Pick<Held, 'node'>,
    idsOf: (parent: CastObject) => Held | undefined,
  ): PrologueStep[] {
    const directory = parent && idsOf(parent);
    if (directory === undefined) return [];
    const patches = [this.#patch(finding, 'node', directory.node)];
    return [this.#step(finding, [{ name }], patches, [this.#mint(finding, 'node', node)])];
  }

  open({ type }: CastObject, node: number | undefined, handle: number | undefined): PrologueStep[] {
    const op = opening[type];
    if (op === undefined || node === undefined || handle === undefined) return [];
    // For writing where the server allows it: a stale handle can write only into what is open for it.
    const flags = type === 'file' ? [O_RDWR, O_RDONLY] : [O_RDONLY];
    const bodies = flags.map((one) => ({ flags: one }));
    return [this.#step(op, bodies, [this.#patch(op, 'node', node)], [this.#mint(op, 'handle', handle)])];
  }

  close({ type }: CastObject, node: number | undefined, handle: number | undefined): PrologueStep[] {
    const op = closing[type];
    if (op === undefined || node === undefined || handle === undefined) return [];
    const patches = [this.#patch(op, 'node', node), this.#patch(op, 'handle', handle, 'release')];
    return [this.#step(op, [{}], patches)];
  }

  forget({ forgotten }: CastObject): PrologueStep[] {
    if (forgotten === undefined) return [];
    const patch = this.#patch(forgetting, 'node', forgotten, 'release');
    return [this.#step(forgetting, [{ [patch.use.count ?? '']: 1n }], [patch])];
  }

  #patch(op: Operation, kind: IdUse['kind'], symbol: number, act: IdAct = 'use') {
    const { use, offset } = placeOf(requestIdMap(op, this.#cast.negotiated), kind, act);
    return { kind: 'symbol', use, offset, symbol } as const;
  }

  #mint(op: Operation, kind: IdUse['kind'], symbol: number): Mint {
    return { ...placeOf(replyIdMap(op, this.#cast.negotiated), kind, 'create'), symbol };
  }

  #step(
    op: Operation,
    bodies: readonly Fields[],
    patches: readonly Patch[],
    mints: readonly Mint[] = [],
  ): PrologueStep {
    const frames = bodies.map((fields) =>
      encodeRequest({ name: op.name, header: { unique: 0n }, fields }, this.#cast.negotiated),
    );
    const [bytes = new Uint8Array(0), ...instead] = frames;
    return { incarnation: this.#incarnation, op, bytes, patches, mints, instead };
  }
}

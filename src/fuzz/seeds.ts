/**
 * The requests that mutators start from: some of each operation as they were recorded, and made-up ones, so that every
 * operation of the session has at least one. Sessions begin and end elsewhere.
 */

import type { Rng } from '../base/rng.js';
import type { Plan, Step } from '../plan/plan.js';
import { textOf } from '../protocol/byte-string.js';
import { requestContent } from '../protocol/content-sites.js';
import { type Operation, operations } from '../protocol/operations.js';
import type { Cast, CastObject } from './cast.js';
import { finding } from './lifecycle.js';
import { bodiesOf, scratchNames } from './made-up.js';
import { madeSeed, type Place, placesIn, type Seed, sitesFrom } from './seed.js';

/** Seeds by operation. They hold for whatever a life knows of the cast (`castUnder`). */
export type Seeds = ReadonlyMap<Operation, readonly Seed[]>;

/** Recorded requests to keep of each operation. */
const RECORDED = 6;
/** Longer ones are sent too slowly to be worth it. */
const LONGEST = 8192;
const MOST_SITES = 16;
/** Children of the cast that are looked up by name. */
const MOST_NAMES = 8;

const NONE: ReadonlyMap<Operation, Seed[]> = new Map();

/** Seeds of every operation that a kernel may send in the cast's session, in the order of the table. */
export const seedsOf = (plan: Plan, cast: Cast, rng: Rng): Seeds => {
  // Under another session the recorded bytes would mean something else.
  const recorded = plan.negotiated === cast.negotiated ? recordedSeeds(plan, cast, rng) : NONE;
  const seeds = new Map<Operation, readonly Seed[]>();
  for (const op of operations)
    if (op.effect !== 'session' && op.sinceMinor <= cast.negotiated.minor)
      seeds.set(op, [...(recorded.get(op) ?? []), ...madeSeeds(op, cast)]);
  return seeds;
};

const madeSeeds = (op: Operation, cast: Cast): Seed[] => {
  const { negotiated } = cast;
  const make = (names: readonly string[], object?: number): Seed[] =>
    bodiesOf(op, negotiated, names).map((fields) => madeSeed(op, fields, negotiated, object));
  if (op === finding) {
    const children = cast.objects.filter(({ parent }) => parent !== undefined).slice(0, MOST_NAMES);
    if (children.length > 0) return children.flatMap(({ name, parent }) => make([name], parent?.index));
  }
  return make(scratchNames.slice(0, 2));
};

/** Some of each operation, chosen evenly (reservoir sampling). */
const recordedSeeds = (plan: Plan, cast: Cast, rng: Rng): ReadonlyMap<Operation, Seed[]> => {
  const reader = new RecordedReader(plan, cast);
  const kept = new Map<Operation, Seed[]>();
  const counts = new Map<Operation, number>();
  for (const step of plan.steps) {
    const { op } = step;
    if (op === undefined || op.effect === 'session') continue;
    const count = counts.get(op) ?? 0;
    const place = count < RECORDED ? count : rng.int(0, count);
    const seed = place < RECORDED ? reader.seedOf(step, op) : undefined;
    if (seed === undefined) continue;
    counts.set(op, count + 1);
    const seeds = kept.get(op) ?? [];
    kept.set(op, seeds);
    seeds[place] = seed;
  }
  return kept;
};

/** Makes seeds of steps. */
class RecordedReader {
  readonly #plan: Plan;
  readonly #cast: Cast;
  readonly #byPath: ReadonlyMap<string, CastObject>;
  readonly #names: ReadonlySet<string>;

  constructor(plan: Plan, cast: Cast) {
    this.#plan = plan;
    this.#cast = cast;
    this.#byPath = new Map(cast.objects.map((object) => [object.path, object]));
    this.#names = new Set(cast.objects.map(({ name }) => name));
  }

  seedOf({ template, templateKept, patches }: Step, op: Operation): Seed | undefined {
    if (template.length > LONGEST || templateKept < template.length) return undefined;
    const symbols = new Map(
      patches.flatMap((patch) => (patch.kind === 'symbol' ? [[patch.offset, patch.symbol] as const] : [])),
    );
    const places = placesIn(op, template, this.#cast.negotiated).map((place) =>
      this.#aimed(place, symbols.get(place.offset)),
    );
    if (places.length > MOST_SITES || this.#endangersCast(op, template)) return undefined;
    return { op, origin: 'recorded', bytes: new Uint8Array(template), sites: sitesFrom(places) };
  }

  #aimed(place: Place, symbol = -1): Place {
    const object = this.#byPath.get(this.#plan.symbols.at(symbol)?.path ?? '');
    return object === undefined ? place : { ...place, object: object.index, type: object.type };
  }

  /** Whether it makes, moves or removes a name that may be one of the cast. */
  #endangersCast(op: Operation, bytes: Uint8Array): boolean {
    if (op.effect !== 'name') return false;
    return requestContent(bytes, op, this.#cast.negotiated).some(
      ({ content, start, end }) => content === 'name' && this.#names.has(textOf(bytes, start, end)),
    );
  }
}

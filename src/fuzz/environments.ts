/**
 * The worlds that a campaign tries, one life of the server each: first those in which most of what goes wrong shows, then
 * mixtures drawn by weight. The same stream of random numbers gives the same worlds.
 */

import type { Rng } from '../base/rng.js';
import { InitFlag } from '../protocol/flags.js';
import type { Negotiated } from '../protocol/negotiated.js';
import { operations } from '../protocol/operations.js';
import { whileDownChanges } from '../replay/while-down.js';
import { type Environment, plainEnvironment } from './environment.js';
import { WeightedDraw } from './weighted-draw.js';

/** A world and the reason for it: clauses without a full stop. */
export interface World {
  readonly environment: Environment;
  readonly why: readonly string[];
}

/** What worlds can be made of. */
export interface WorldOptions {
  /** What the first life settled. */
  readonly negotiated: Negotiated;
  readonly rng: Rng;
  /** Whether the store is a directory, which can be changed while the server is down. */
  readonly storeChanges: boolean;
}

/** A way in which a life differs, and why that is tried. */
interface Turn {
  readonly weight: number;
  readonly why: string;
  /** Absent when there is nothing of the kind to change. */
  readonly change: (options: WorldOptions) => Partial<Environment> | undefined;
}

const turn = (weight: number, why: string, change: Turn['change']): Turn => ({ weight, why, change });
const always =
  (change: Partial<Environment>): Turn['change'] =>
  () =>
    change;

const memory: readonly Turn[] = [
  turn(3, 'addresses differ from life to life, so an old pointer points nowhere', always({ aslr: 'on' })),
  turn(2, 'addresses repeat, so an old pointer points to another object', always({ aslr: 'off' })),
];

const knowledge: readonly Turn[] = [
  turn(6, 'the same names were looked up in another order and opened', always({ relookup: 'shuffled+open' })),
  turn(
    2,
    'the same names were looked up in another order, and nothing is open',
    always({ relookup: 'shuffled' }),
  ),
  turn(
    2,
    'the same names were looked up in the same order, so ids that count repeat',
    always({ relookup: 'same' }),
  ),
  turn(1, 'nothing was looked up yet, so every old id is unknown', always({ relookup: 'none' })),
];

/** Freed memory reads as the complement of this byte (mallopt(3), M_PERTURB). */
const perturbed = ({ rng }: WorldOptions): Partial<Environment> => ({ mallocPerturb: rng.int(1, 255) });

const otherStore = ({ rng, storeChanges }: WorldOptions): Partial<Environment> | undefined =>
  storeChanges ? { whileDown: rng.pick(whileDownChanges) } : undefined;

/** Kernels below this are older than every server that is still run. */
const OLDEST_MINOR = 12;

/** The minors just before something changed: an operation came, or a struct grew. */
const turningPoints: readonly number[] = [
  ...new Set(
    operations.flatMap(({ sinceMinor, request, reply = [] }) => [
      sinceMinor - 1,
      ...[...request, ...reply].flatMap((part) =>
        part.kind === 'struct'
          ? part.short.flatMap((rule) => ('minorBelow' in rule ? rule.minorBelow - 1 : []))
          : [],
      ),
    ]),
  ),
].sort((a, b) => a - b);

const olderKernel = ({ rng, negotiated }: WorldOptions): Partial<Environment> | undefined => {
  const minor = rng.pick(turningPoints.filter((one) => one >= OLDEST_MINOR && one < negotiated.minor));
  return minor === undefined ? undefined : { minor };
};

const settledFlags = ({ flags }: Negotiated): bigint[] =>
  Object.values(InitFlag).filter((flag) => (flags & flag) !== 0n);

const fewerFlags = ({ rng, negotiated }: WorldOptions): Partial<Environment> | undefined => {
  const withoutFlags = rng.pick(settledFlags(negotiated));
  return withoutFlags === undefined ? undefined : { withoutFlags };
};

const noFlags = ({ negotiated }: WorldOptions): Partial<Environment> | undefined =>
  settledFlags(negotiated).length === 0
    ? undefined
    : { withoutFlags: settledFlags(negotiated).reduce((all, flag) => all | flag, 0n) };

const oddities: readonly Turn[] = [
  turn(8, 'nothing else differs', always({})),
  turn(2, 'freed memory looks otherwise, so what is read after it was freed shows', perturbed),
  turn(
    4,
    'the store was changed while the server was down, so ids that only happen to repeat show',
    otherStore,
  ),
  turn(1, 'the kernel is older than the one before', olderKernel),
  turn(1, 'the kernel offers one feature less than before', fewerFlags),
  turn(1, 'the kernel offers none of the features of before', noFlags),
];

/** What shows most, before chance is asked. */
const openings: readonly Environment[] = [
  plainEnvironment,
  { ...plainEnvironment, aslr: 'off' },
  { ...plainEnvironment, relookup: 'same' },
  { ...plainEnvironment, relookup: 'none' },
  { ...plainEnvironment, aslr: 'off', relookup: 'same', whileDown: 'add-first' },
];
const OPENING = 'what shows most is tried first';

/** Worlds without end. The first is the plain one. */
export function* worlds(options: WorldOptions): Generator<World, never> {
  for (const environment of openings)
    if (environment.whileDown === undefined || options.storeChanges) yield { environment, why: [OPENING] };
  for (;;) yield mixed(options);
}

const mixed = (options: WorldOptions): World => {
  const environment: Environment = { ...plainEnvironment };
  const why: string[] = [];
  for (const turns of [memory, knowledge, oddities]) {
    const { change, reason } = drawn(turns, options);
    Object.assign(environment, change);
    why.push(reason);
  }
  return { environment, why };
};

/** A turn by weight; those that are not possible are passed over. */
const drawn = (
  turns: readonly Turn[],
  options: WorldOptions,
): { readonly change: Partial<Environment>; readonly reason: string } => {
  const possible = turns.flatMap(({ weight, why, change }) => {
    const made = change(options);
    return made === undefined ? [] : [{ weight, reason: why, change: made }];
  });
  const draw = new WeightedDraw(possible.map(({ weight }) => weight));
  const found = possible[draw.draw(options.rng) ?? 0];
  if (found === undefined) throw new Error('nothing is possible, not even nothing');
  return found;
};

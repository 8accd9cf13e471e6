/** A part of a plan that is a plan again. It does not know why anybody wants less. */

import { countEarlier, countUnanswered } from './notes.js';
import { type Mint, type Patch, type Plan, type PlanSymbol, ROOT_SYMBOL, type Step } from './plan.js';

/**
 * The plan with only some of its steps, and numbers closed up. Steps go too when all steps before them go that mint a symbol
 * which they use, or a step whose unique they refer to; symbols go that no kept step uses or mints. Numbers of steps that
 * there are not are ignored. What came before a step through one that is gone still comes before it.
 */
export const keepSteps = (plan: Plan, keep: Iterable<number>): Plan => {
  const kept = upheld(plan, new Set(keep));
  const before = ranks(plan.steps.length, kept);
  const symbols = numbered(plan, kept);
  const steps = [...orders(plan, kept)].map(([step, after]) => moved(step, after, { before, symbols }));
  const left = [...symbols.keys()].flatMap((id) => plan.symbols.at(id) ?? []);
  const minters = mintersOf(steps);
  const kinds = left.map((symbol, id) => movedSymbol(symbol, { id, symbols, mintedBy: minters.get(id) }));
  const { unbound, byPath } = countEarlier(steps, kinds);
  return {
    ...plan,
    steps,
    symbols: kinds,
    notices: plan.notices.map((notice) => ({ ...notice, before: before[notice.before] ?? steps.length })),
    resends: plan.resends
      .filter(({ step }) => kept.has(step))
      .map((resend) => ({ ...resend, step: before[resend.step] ?? 0 })),
    unbound,
    notes: { ...plan.notes, byPath, unanswered: countUnanswered(steps) },
  };
};

/** A step as data of its own: those of a lifted plan are made on demand, and spreading them gives nothing. */
export const stepData = (step: Step): Step => {
  const { index, seq, timeNs, replyTimeNs, incarnation, op, template, templateKept, patches } = step;
  const { reply, replyKept, mints, after, answered, answeredBefore, resent } = step;
  return {
    ...{ index, seq, timeNs, replyTimeNs, incarnation, op, template, templateKept, patches },
    ...{ reply, replyKept, mints, after, answered, answeredBefore, resent },
  };
};

/** The wanted steps whose references lead to a wanted step before them, if they led to a step before them at all. */
const upheld = (plan: Plan, wanted: ReadonlySet<number>): ReadonlySet<number> => {
  const kept = new Set<number>();
  const [minted, known] = [new Set<number>(), new Set<number>()];
  const isKnown = (patch: Patch): boolean => {
    if (patch.kind === 'symbol') return known.has(patch.symbol) || !minted.has(patch.symbol);
    return patch.step === undefined || kept.has(patch.step);
  };
  for (const { index, patches, mints } of plan.steps) {
    const isKept = wanted.has(index) && patches.every(isKnown);
    if (isKept) kept.add(index);
    for (const { symbol } of mints) {
      minted.add(symbol);
      if (isKept) known.add(symbol);
    }
  }
  return kept;
};

/** For each step how many kept ones come before it, and behind the last how many there are. */
const ranks = (length: number, kept: ReadonlySet<number>): Uint32Array => {
  const before = new Uint32Array(length + 1);
  for (let index = 0; index < length; index++)
    before[index + 1] = (before[index] ?? 0) + (kept.has(index) ? 1 : 0);
  return before;
};

/** Kept steps, each with the kept steps that come before it: in the place of one that is gone those before that. */
function* orders(plan: Plan, kept: ReadonlySet<number>): Generator<readonly [Step, readonly number[]]> {
  const gone = new Map<number, readonly number[]>();
  for (const step of plan.steps) {
    const after = [...new Set(step.after.flatMap((one) => gone.get(one) ?? one))].sort((a, b) => a - b);
    if (kept.has(step.index)) yield [step, after];
    else gone.set(step.index, after);
  }
}

/** New numbers of the symbols that kept steps name, and of the nodes of named handles. */
const numbered = (plan: Plan, kept: ReadonlySet<number>): ReadonlyMap<number, number> => {
  const named = new Set([ROOT_SYMBOL]);
  for (const { index, patches, mints } of plan.steps) {
    if (!kept.has(index)) continue;
    for (const one of [...patches, ...mints]) if ('symbol' in one) named.add(one.symbol);
  }
  for (const id of [...named]) named.add(plan.symbols.at(id)?.node ?? ROOT_SYMBOL);
  return new Map([...named].sort((a, b) => a - b).map((id, index) => [id, index]));
};

/** First step that mints each symbol. */
const mintersOf = (steps: readonly Step[]): ReadonlyMap<number, number> => {
  const minters = new Map<number, number>();
  for (const { index, mints } of steps)
    for (const { symbol } of mints) if (!minters.has(symbol)) minters.set(symbol, index);
  return minters;
};

interface Moves {
  /** By old number of a step. */
  readonly before: Uint32Array;
  /** By old number of a symbol. */
  readonly symbols: ReadonlyMap<number, number>;
}

const moved = (step: Step, after: readonly number[], { before, symbols }: Moves): Step => {
  const to = (old: number): number => before[old] ?? 0;
  const symbolOf = (old: number): number => symbols.get(old) ?? old;
  const { answeredBefore } = step;
  return {
    ...stepData(step),
    index: to(step.index),
    patches: step.patches.map((patch) => movedPatch(patch, to, symbolOf)),
    mints: step.mints.map((mint): Mint => ({ ...mint, symbol: symbolOf(mint.symbol) })),
    after: after.map(to),
    answeredBefore: answeredBefore === undefined ? undefined : to(answeredBefore),
  };
};

const movedPatch = (
  patch: Patch,
  to: (step: number) => number,
  symbolOf: (symbol: number) => number,
): Patch => {
  if (patch.kind === 'symbol') return { ...patch, symbol: symbolOf(patch.symbol) };
  return patch.step === undefined ? patch : { ...patch, step: to(patch.step) };
};

/** A symbol whose minting step is gone keeps its number, as one from before the plan. */
const movedSymbol = (
  symbol: PlanSymbol,
  {
    id,
    symbols,
    mintedBy,
  }: {
    readonly id: number;
    readonly symbols: ReadonlyMap<number, number>;
    readonly mintedBy: number | undefined;
  },
): PlanSymbol => {
  const { kind, origin, node, path, type, recorded, generation, spot } = symbol;
  return {
    ...{ id, kind, path, type, recorded, generation },
    origin: origin === 'step' && mintedBy === undefined ? 'earlier' : origin,
    mintedBy: origin === 'step' ? mintedBy : undefined,
    node: node === undefined ? undefined : (symbols.get(node) ?? ROOT_SYMBOL),
    ...(spot === undefined ? {} : { spot }),
  };
};

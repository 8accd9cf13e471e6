/** The requests that prepare the lives of a server for cases, and what their replies bind. What the ids are for is not known here. */

import type { Bindings } from '../plan/bindings.js';
import type { Mint, PlanSymbol, Sequence, Step } from '../plan/plan.js';
import { errorOf } from '../protocol/header.js';
import { replyIdMap } from '../protocol/id-sites.js';
import type { Negotiated } from '../protocol/negotiated.js';
import { u32At } from '../protocol/raw.js';
import type { CaseRequest } from './case.js';

/** A request of a preparation. */
export interface PreparingStep extends Pick<CaseRequest, 'op' | 'bytes' | 'patches'> {
  /** Places in the good reply; those at 0 mint nothing. */
  readonly mints: readonly Mint[];
  /** Other frames with the same patches and mints, each for when the one before was refused. */
  readonly instead: readonly Uint8Array[];
}

/** All lives of a server up to the cases. */
export interface Preparation {
  readonly symbols: Sequence<PlanSymbol>;
  /** The INIT to offer; that of a new kernel when it is absent. */
  readonly init: Uint8Array | undefined;
  /** By incarnation; the server is killed after each but the last. */
  readonly lives: readonly (readonly PreparingStep[])[];
}

/**
 * The preparation whose last life settled a session; that of the plan's session before it settled any. All of one server have
 * the same symbols, the same INIT and the same earlier lives.
 */
export type Prepare = (settled: Negotiated | undefined) => Preparation;

/** A step of a plan as one of a preparation. `session` is that of the plan. */
export const preparingStep = (
  { op, template, patches, mints }: Step,
  session: Negotiated,
): PreparingStep => ({
  op,
  bytes: template,
  patches,
  mints: mints.map((mint) => placed(mint, op, session)),
  instead: [],
});

/** A step without a recorded reply tells what a good one mints, but not where. Records of directories may be anywhere. */
const placed = (mint: Mint, op: Step['op'], session: Negotiated): Mint => {
  if (mint.offset > 0 || op === undefined) return mint;
  const place = replyIdMap(op, session).places.find(({ use }) => use === mint.use);
  return place === undefined ? mint : { ...mint, offset: place.at };
};

/** Stretches of steps that can be sent together: none relies on what another one of its stretch mints. */
export const stretches = (steps: readonly PreparingStep[]): PreparingStep[][] => {
  const all: PreparingStep[][] = [];
  const minted = new Set<number>();
  for (const step of steps) {
    const waits = step.patches.some((patch) => patch.kind === 'symbol' && minted.has(patch.symbol));
    if (waits || all.length === 0) {
      all.push([]);
      minted.clear();
    }
    all.at(-1)?.push(step);
    for (const { symbol } of step.mints) minted.add(symbol);
  }
  return all;
};

/** Binds what a good reply mints; a negative entry mints nothing. */
export const bindMinted = (
  { mints }: Pick<PreparingStep, 'mints'>,
  reply: Uint8Array,
  bindings: Bindings,
): void => {
  if (errorOf(reply) !== 0) return;
  for (const { symbol, offset, use } of mints) {
    if (offset === 0 || offset + 8 > reply.length) continue;
    const isNothing = use.none === 0n && u32At(reply, offset) === 0 && u32At(reply, offset + 4) === 0;
    if (!isNothing) bindings.take(symbol, reply, offset);
  }
};

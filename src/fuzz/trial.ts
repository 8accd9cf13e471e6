/**
 * Runs a plan on fresh lives of a server, one request after the other, and judges its last requests as a campaign does: how
 * findings are confirmed, made smaller and reproduced.
 */

import type { Judgement } from '../oracle/verdict.js';
import { Bindings } from '../plan/bindings.js';
import type { Patch, Plan, Step } from '../plan/plan.js';
import { isOwnUnique } from '../plan/repeat.js';
import type { Negotiated } from '../protocol/negotiated.js';
import type { Case, CaseRequest } from './case.js';
import type { Environment } from './environment.js';
import { type Preparation, preparingStep } from './preparation.js';
import { Stage, type StageOrders } from './stage.js';
import { releasedBy, World } from './world.js';

/** How plans are run. */
export type TrialOrders = Omit<StageOrders, 'depth'>;

/** Runs plans on one server command, as often as wanted. */
export class Trial {
  readonly #stage: Stage;

  private constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** Makes ready. Throws a RelightError where the command cannot be run or its store not be copied. */
  static async open(orders: TrialOrders): Promise<Trial> {
    return new Trial(await Stage.open({ ...orders, depth: 1 }));
  }

  /** Trials on a stage that others use in between, and with it on the same store. It is theirs to close. */
  static on(stage: Stage): Pick<Trial, 'run'> {
    return new Trial(stage);
  }

  /**
   * Plays the lives of a plan on a fresh store, one request after the other, and judges the requests behind the last one that
   * mints an id: the gravest judgement first; none when it has no such request, or when ids that it relies on were not given.
   * Throws `server` when the server does not come up.
   */
  async run(plan: Plan, environment: Environment): Promise<readonly Judgement[]> {
    const { preparation, fault } = partsOf(plan);
    await this.#stage.begin(() => preparation, environment, 1);
    return fault === undefined || !this.#stage.isPrepared ? [] : this.#stage.examine(fault);
  }

  /** Ends the server and puts its store back. */
  close(): Promise<void> {
    return this.#stage.close();
  }
}

/** Runs one plan once; see `Trial.run`. */
export const runPlan = async (
  plan: Plan,
  orders: TrialOrders & { readonly environment: Environment },
): Promise<readonly Judgement[]> => {
  const trial = await Trial.open(orders);
  try {
    return await trial.run(plan, orders.environment);
  } finally {
    await trial.close();
  }
};

/** The steps that prepare, and the rest as one case. */
const partsOf = (plan: Plan): { readonly preparation: Preparation; readonly fault: Case | undefined } => {
  const steps = [...plan.steps];
  const last = steps.at(-1)?.incarnation ?? 0;
  const own = new Set(
    steps.flatMap(({ incarnation, mints }) =>
      incarnation === last ? mints.map(({ symbol }) => symbol) : [],
    ),
  );
  const isPreparing = ({ incarnation, mints, patches }: Step): boolean =>
    incarnation !== last || mints.length > 0 || releasedBy(patches).some((symbol) => own.has(symbol));
  // What gives an id back prepares for what follows; at the end it is itself what is tried.
  const from = steps.findLastIndex((step, index) => isPreparing(step) && index < steps.length - 1) + 1;
  const lives = Array.from({ length: last + 1 }, (_, life) =>
    steps
      .slice(0, from)
      .filter(({ incarnation }) => incarnation === life)
      .map((step) => preparingStep(step, plan.negotiated)),
  );
  const preparation = { symbols: plan.symbols, init: plan.init, lives };
  const requests = steps.slice(from).map((step) => requestFrom(step, from));
  if (requests.length === 0) return { preparation, fault: undefined };
  const wrong = faultAmong(requests, preparation, plan.negotiated);
  const op = requests[wrong]?.op?.name ?? 'unknown';
  return { preparation, fault: { mutator: 'plan', relation: 'good', op, requests, wrong, meant: [] } };
};

/** A step as a request of a case that begins at step `from`: references to steps become those to requests. */
const requestFrom = ({ op, template, patches, resent }: Step, from: number): CaseRequest => {
  const own = patches.find((patch) => patch.kind === 'step' && isOwnUnique(patch));
  const repeats = own?.kind === 'step' ? within(own.step, from) : undefined;
  const others = patches.filter((patch) => patch !== own);
  const moved = others.map(
    (patch): Patch => (patch.kind === 'step' ? { ...patch, step: within(patch.step, from) } : patch),
  );
  return { op, bytes: template, patches: moved, resent, ...(repeats !== undefined && { repeats }) };
};

const within = (step: number | undefined, from: number): number | undefined =>
  step === undefined || step < from ? undefined : step - from;

/** The last request with an id that is not right, or that was sent before; the last of all where there is none. */
const faultAmong = (
  requests: readonly CaseRequest[],
  preparation: Preparation,
  negotiated: Negotiated,
): number => {
  const world = new World(preparation, negotiated);
  const era = { life: 0, negotiated, bindings: Bindings.of(preparation), isStoreChanged: false };
  const at = requests.findLastIndex(
    (request) => request.resent || world.probeOf(request, request.bytes, era).stale.length > 0,
  );
  return at < 0 ? requests.length - 1 : at;
};

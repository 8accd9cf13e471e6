/**
 * Runs a plan on fresh lives of a server, one request after the other, and judges its last requests as a campaign does: how
 * findings are confirmed, made smaller and reproduced.
 */

import type { Judgement } from '../oracle/verdict.js';
import { Bindings } from '../plan/bindings.js';
import type { Plan, Step } from '../plan/plan.js';
import type { Case, CaseRequest } from './case.js';
import type { Environment } from './environment.js';
import { requestOfStep } from './prologue.js';
import { Stage, type StageOrders } from './stage.js';
import { lastIncarnation, World } from './world.js';

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

  /**
   * Plays the lives of a plan on a fresh store and judges the requests behind the last one that mints an id: the gravest
   * judgement first; none when it has no such request. Throws `server` when the server does not come up.
   */
  async run(plan: Plan, environment: Environment): Promise<readonly Judgement[]> {
    const { prologue, fault } = partsOf(plan);
    await this.#stage.begin(prologue, environment);
    return fault === undefined ? [] : this.#stage.examine(fault);
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

/** The steps that prepare, as a plan of their own, and the rest as one case. */
const partsOf = (plan: Plan): { readonly prologue: Plan; readonly fault: Case | undefined } => {
  const steps = [...plan.steps];
  const last = lastIncarnation(plan);
  const isPreparing = ({ incarnation, mints }: Step): boolean => incarnation !== last || mints.length > 0;
  const from = steps.findLastIndex(isPreparing) + 1;
  const prologue = { ...plan, steps: steps.slice(0, from) };
  const requests = steps.slice(from).map((step) => relative(requestOfStep(step), from));
  if (requests.length === 0) return { prologue, fault: undefined };
  const wrong = faultAmong(requests, prologue);
  const op = requests[wrong]?.op?.name ?? 'unknown';
  return { prologue, fault: { mutator: 'plan', relation: 'good', op, requests, wrong, meant: [] } };
};

const OWN_UNIQUE_AT = 8;

/** References to steps become references to requests of the case. */
const relative = (request: CaseRequest, from: number): CaseRequest => {
  const patches = request.patches.flatMap((patch) => {
    if (patch.kind === 'symbol') return [patch];
    if (patch.offset === OWN_UNIQUE_AT) return [];
    return [{ ...patch, step: patch.step === undefined || patch.step < from ? undefined : patch.step - from }];
  });
  const own = request.patches.find(({ kind, offset }) => kind === 'step' && offset === OWN_UNIQUE_AT);
  const repeats = own?.kind === 'step' && own.step !== undefined && own.step >= from ? own.step - from : undefined;
  return { ...request, patches, ...(repeats !== undefined && { repeats }) };
};

/** The last request with an id that is not right, or that was sent before; the last of all where there is none. */
const faultAmong = (requests: readonly CaseRequest[], prologue: Plan): number => {
  const world = new World(prologue, prologue.negotiated);
  const era = {
    ...{ life: 0, negotiated: prologue.negotiated },
    ...{ bindings: Bindings.of(prologue), isStoreChanged: false },
  };
  const at = requests.findLastIndex(
    (request) => request.resent || world.probeOf(request, request.bytes, era).stale.length > 0,
  );
  return at < 0 ? requests.length - 1 : at;
};

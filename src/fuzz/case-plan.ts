/** The plan that prepares a server's lives and then sends the requests of cases: what is run again, made smaller and kept. */

import { Composer } from '../plan/compose.js';
import { type Plan, type PlanSymbol, ROOT_SYMBOL } from '../plan/plan.js';
import type { Case } from './case.js';
import type { Preparation, PreparingStep } from './preparation.js';

/** Gives the frame of a preparing step that the server took; `undefined` when it refused all of them. */
export type TakenFrame = (step: PreparingStep) => Uint8Array | undefined;

/** The plan that prepares the lives with the frames that the server took, and then sends the requests of cases. */
export const planOf = (
  preparation: Preparation,
  cases: readonly Case[],
  {
    session,
    taken,
  }: { readonly session: Pick<Plan, 'negotiated' | 'init' | 'initReply'>; readonly taken: TakenFrame },
): Plan => {
  const composer = new Composer(session);
  for (const symbol of preparation.symbols) if (symbol.id !== ROOT_SYMBOL) name(composer, symbol);
  for (const [incarnation, steps] of preparation.lives.entries())
    for (const step of steps) {
      const bytes = taken(step);
      const { patches, mints } = step;
      if (bytes !== undefined) composer.step({ incarnation, bytes, patches, mints });
    }
  for (const { requests } of cases) addCase(composer, requests, preparation.lives.length - 1);
  return composer.plan();
};

/** Names a symbol under the number that it has in the cast. */
const name = (composer: Composer, symbol: PlanSymbol): void => {
  const { kind, node, path, type, spot } = symbol;
  if (spot !== undefined) composer.memory(spot);
  else if (kind === 'handle') composer.symbol({ kind, node: node ?? ROOT_SYMBOL });
  else
    composer.symbol({
      kind,
      ...(path !== undefined && { path }),
      ...(type !== undefined && { type }),
    });
};

/** References between the requests of a case become those between steps. */
const addCase = (composer: Composer, requests: Case['requests'], incarnation: number): void => {
  const steps: number[] = [];
  for (const { bytes, patches, resent, repeats } of requests) {
    const moved = patches.map((patch) =>
      patch.kind === 'step' && patch.step !== undefined ? { ...patch, step: steps[patch.step] } : patch,
    );
    const target = repeats === undefined ? undefined : steps[repeats];
    const step = { incarnation, bytes, patches: moved, resent };
    steps.push(composer.step(target === undefined ? step : { ...step, repeats: target }));
  }
};

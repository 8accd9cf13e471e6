/** What requests left behind, judged by two looks at the objects of the running life: before them and after them. Pure. */

import { judgeEffects, judgeTwice, type Observed } from '../oracle/effects.js';
import { judgeLiveIds, type LiveUse } from '../oracle/live-ids.js';
import type { Probe, Scene } from '../oracle/probe.js';
import type { ObjectKey } from '../oracle/seen.js';
import { isUnsafe, type Judgement } from '../oracle/verdict.js';
import type { Look } from './survey.js';

/** Two looks, and what the requests between were allowed. */
export interface Aftermath {
  /** The request that is held responsible: the wrong one of the last case. */
  readonly probe: Probe;
  /** Its error, positive; 0 for a good reply, absent without one. */
  readonly errno: number | undefined;
  readonly before: Look;
  readonly after: Look;
  readonly changed: ReadonlySet<ObjectKey>;
  readonly gone: ReadonlySet<number>;
  /** Objects that the ids of the responsible request were minted for, in its order. */
  readonly meant: readonly ObjectKey[];
  /** The request was sent a second time. */
  readonly isAgain: boolean;
  /** It used an id of an earlier life, or one that was given back. */
  readonly isOld: boolean;
  /** Only one case was tried: what was meant can be held against its reply. */
  readonly isAlone: boolean;
}

/** A second name of a changed object is changed with it. */
const withLinks = ({ changed, before }: Aftermath): ReadonlySet<ObjectKey> => {
  const inoOf = (key: ObjectKey): unknown => before.states.get(key)?.scalars.ino;
  const inos = new Set([...changed].map(inoOf).filter((ino) => ino !== undefined && ino !== 0n));
  const linked = [...before.states].filter(
    ([, { scalars }]) => Number(scalars.nlink ?? 0) > 1 && inos.has(scalars.ino),
  );
  return new Set([...changed, ...linked.map(([key]) => key)]);
};

const observed = (aftermath: Aftermath): Observed[] => {
  const { before, after } = aftermath;
  const changed = withLinks(aftermath);
  const bystanders = [...before.states.keys()].filter((key) => !changed.has(key));
  return [...new Set([...aftermath.meant, ...bystanders])].flatMap((key) => {
    const [was, is] = [before.states.get(key), after.states.get(key)];
    // An object that cannot be asked for by its id any more is a matter of the id.
    if (was === undefined || is === undefined || is.error !== undefined || was.error !== undefined) return [];
    return [{ key, before: was, after: is, meant: changed.has(key) }];
  });
};

const liveUses = (aftermath: Aftermath): LiveUse[] => {
  const { before, after, gone } = aftermath;
  const changed = withLinks(aftermath);
  return [...before.uses].flatMap(([symbol, use]) => {
    const now = after.uses.get(symbol);
    if (now === undefined || gone.has(symbol) || changed.has(use.object)) return [];
    const { kind, value, object, by, result } = use;
    return [{ kind, value, object, by, before: result, after: now.result }];
  });
};

/** What the looks show, the unsafe verdicts and those that tell more than the reply did. */
export const judgeAftermath = (aftermath: Aftermath, scene: Scene): Judgement[] => {
  const { probe, errno, isAgain, isAlone, isOld } = aftermath;
  const objects = observed(aftermath);
  // By ids that are good a server may well ignore what it is asked to change.
  const acknowledged = isAlone && isOld && errno === 0;
  const judgements = [
    judgeEffects(probe, { objects, acknowledged }, scene),
    judgeLiveIds(probe, liveUses(aftermath), scene),
    isAgain && isAlone && errno !== undefined
      ? judgeTwice(probe, { objects, error: errno }, scene)
      : undefined,
  ].filter((one) => one !== undefined);
  return judgements.filter(({ verdict }) => isUnsafe(verdict) || (isAlone && verdict === 'recovered'));
};

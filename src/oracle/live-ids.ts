/**
 * Whether ids that the new incarnation itself handed out still work after a stale one was given back: `poison` when one does
 * not. When using one ends the server, that is the graver thing, and so the verdict is how it ended: a delayed bomb is a
 * `crash` or an `abort`.
 */

import { errnoName } from '../base/errno.js';
import { exitMeaning, type ServerExit } from './exit.js';
import { Facts } from './facts.js';
import type { Fingerprint } from './fingerprint.js';
import { isExcluded, likeness } from './likeness.js';
import { judgementOf, operationIn, type Probe, type Scene } from './probe.js';
import type { ObjectKey } from './seen.js';
import type { Judgement } from './verdict.js';

/** What came of using a live id. */
export type UseResult =
  /** A good reply and what it told. */
  | { readonly kind: 'good'; readonly told: Fingerprint }
  /** A positive errno. */
  | { readonly kind: 'error'; readonly errno: number }
  | { readonly kind: 'silence'; readonly waitedMs: number }
  | { readonly kind: 'ended'; readonly exit: ServerExit };

/** A node or handle that the new incarnation handed out, used after the stale request. */
export interface LiveUse {
  readonly kind: 'node' | 'handle';
  readonly value: bigint;
  readonly object: ObjectKey;
  /** Operation by which it was used, such as `GETATTR`. */
  readonly by: string;
  /** What the same use gave before; it has to be good to count. */
  readonly before: UseResult;
  readonly after: UseResult;
}

const idText = ({ kind, value, object }: LiveUse, scene: Scene): string => {
  const number = value >= 1n << 32n ? `0x${value.toString(16)}` : value.toString();
  return `live ${kind} ${number} of ${scene.identities.nameOf(object)}`;
};

/** What the same use of the same id told otherwise before, if that cannot be the same object. */
const unlike = (before: Fingerprint, after: Fingerprint): string[] => {
  const facts = new Facts();
  facts.learn(before);
  const like = likeness(after, facts, () => 'proven');
  return isExcluded(like) ? like.differs.map(({ text }) => text) : [];
};

/** How a use failed, and a signature for it; `undefined` when it did not. */
const failure = (use: LiveUse, scene: Scene): { text: string[]; signature: string } | undefined => {
  const { after, by } = use;
  const id = idText(use, scene);
  if (after.kind === 'error')
    return { text: [`${id}: ${by} gives ${errnoName(after.errno)}`], signature: errnoName(after.errno) };
  if (after.kind === 'silence')
    return { text: [`${id}: ${by} gets no reply within ${after.waitedMs} ms`], signature: 'hang' };
  if (after.kind === 'ended') return undefined;
  const changed = use.before.kind === 'good' ? unlike(use.before.told, after.told) : [];
  if (changed.length === 0) return undefined;
  return {
    text: [`${id}: ${by} is answered for another object: ${changed.join(', ')}`],
    signature: 'other object',
  };
};

/** The server ended at one of these uses, of which several may have been under way. */
const ofEnd = (
  probe: Probe,
  { use, exit, others }: { readonly use: LiveUse; readonly exit: ServerExit; readonly others: number },
  scene: Scene,
): Judgement => {
  const { verdict, signature, evidence } = exitMeaning(exit);
  const more = others === 0 ? '' : `, or one of ${others} other uses of live ids`;
  const op = operationIn(probe)?.name ?? 'unknown opcode';
  return judgementOf(probe, scene, {
    verdict,
    signature: `${op} then ${signature}`,
    evidence: [`afterwards ${idText(use, scene)}: ${use.by}${more}, ends the server`, ...evidence],
  });
};

/**
 * Judges a request that gave a stale id back, by uses of all live ones: `poison` when one that worked before does not work
 * any more, `crash` or `abort` when the server ends by its use; else `rejected`, since it had no effect that anybody could
 * see. `undefined` when there was no live id to use.
 */
export const judgeLiveIds = (probe: Probe, uses: readonly LiveUse[], scene: Scene): Judgement | undefined => {
  const worked = uses.filter(({ before }) => before.kind === 'good');
  if (worked.length === 0) return undefined;
  const [use, ...others] = worked.filter(({ after }) => after.kind === 'ended');
  if (use?.after.kind === 'ended')
    return ofEnd(probe, { use, exit: use.after.exit, others: others.length }, scene);
  const failures = worked.flatMap((one) => failure(one, scene) ?? []);
  const [first] = failures;
  if (first === undefined)
    return judgementOf(probe, scene, {
      verdict: 'rejected',
      evidence: [`no effect: ${worked.length} uses of live ids work as before`],
    });
  const { op, idKind } = judgementOf(probe, scene, { verdict: 'poison', evidence: [] });
  return judgementOf(probe, scene, {
    verdict: 'poison',
    signature: `poison ${op} ${idKind}: ${first.signature}`,
    evidence: failures.flatMap(({ text }) => text),
  });
};

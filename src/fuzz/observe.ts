/**
 * What came of each case, in one word: what was seen before is recognised by a few numbers, only what is new goes to the
 * oracle. It keeps no case and talks to no server.
 */

import type { Refusal } from '../kernel/refusal.js';
import type { MappedRange } from '../oracle/id-kind.js';
import { judge } from '../oracle/judge.js';
import type { Outcome, Scene } from '../oracle/probe.js';
import { isUnsafe, type Judgement } from '../oracle/verdict.js';
import { errorOf } from '../protocol/header.js';
import { u32At } from '../protocol/raw.js';
import type { Case, CaseRequest } from './case.js';
import type { Observation } from './ground.js';
import type { Era, World } from './world.js';

/** An observation and the judgement that it came from; others may have come to the same since. */
export interface Observed extends Observation {
  readonly judgement: Judgement;
}

/** What can be asked of the oracle about the running life. */
export interface Bench {
  readonly world: World;
  readonly era: Era;
  readonly maps: () => readonly MappedRange[];
  /** The request as it was sent. */
  readonly frameOf: (request: CaseRequest) => Uint8Array;
}

/** Different replies of one kind that are told apart; more are judged each time. */
const KNOWN_REPLIES = 4096;
/** Bytes of a reply that tell it from others. */
const TELLING_BYTES = 512;
const ERRORS = 512;

/** Observations of one mutator, relation and operation. */
class Kind {
  readonly byErrno: (Observed | undefined)[] = new Array<Observed | undefined>(ERRORS).fill(undefined);
  readonly byReply = new Map<number, Observed>();
  readonly byWords = new Map<string, Observed>();
  swallowed: Observed | undefined;
}

/** Closer looks at one frame that is sent again. */
const MOST_LOOKS = 3;

/** What a map has for a key; made when it has nothing. */
const among = <K, V>(map: Map<K, V>, key: K, make: () => V): V => {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
};

/** Whether a kernel says that it sent the request before, or has. */
export const isSentAgain = ({ resent, repeats }: CaseRequest): boolean => resent || repeats !== undefined;

/** The observer of a stage. */
export class Observer {
  readonly #kinds = new Map<string, Map<string, Map<string, Kind>>>();
  /** Observations that a closer look was asked for; how often, for each frame that was sent again. */
  readonly #raised = new Map<Observed, Map<Uint8Array, number>>();
  #bench: Bench | undefined;

  /** Another life begins. */
  meet(bench: Bench): void {
    this.#bench = bench;
  }

  /** What was seen has to be judged anew: old ids, or the objects behind them, are no longer those that they were. */
  forget(): void {
    for (const kind of this.#all()) {
      kind.byReply.clear();
      kind.byErrno.fill(undefined);
    }
  }

  /** The reply to the wrong request of a case. */
  replied(one: Case, request: CaseRequest, reply: Uint8Array, refusal: Refusal | undefined): Observed {
    const kind = this.#kindOf(one);
    if (refusal !== undefined)
      return this.#look(one, request, { kind: 'reply', bytes: reply.slice(), refusal });
    const errno = -errorOf(reply);
    if (errno !== 0) {
      const known = kind.byErrno[errno];
      if (known !== undefined) return known;
      const seen = this.#look(one, request, { kind: 'reply', bytes: reply.slice() });
      kind.byErrno[errno] = seen;
      return seen;
    }
    const mark = markOf(request, reply);
    const known = kind.byReply.get(mark);
    if (known !== undefined) return known;
    const seen = this.#look(one, request, { kind: 'reply', bytes: reply.slice() });
    if (kind.byReply.size < KNOWN_REPLIES) kind.byReply.set(mark, seen);
    return seen;
  }

  /** The wrong request of a case has no reply, and none is due. */
  swallowed(one: Case, request: CaseRequest): Observed {
    const kind = this.#kindOf(one);
    kind.swallowed ??= this.#look(one, request, { kind: 'swallowed' });
    return kind.swallowed;
  }

  /** Any other outcome of a request of a case, such as the end of the server. */
  saw(one: Case, request: CaseRequest, outcome: Outcome): Observed {
    return this.#look(one, request, outcome);
  }

  /**
   * True the first time that a case came to an observation which leaves open what an old id, or a request sent a second time,
   * did: only a closer look can tell.
   */
  isDoubtful(observation: Observed, one: Case): boolean {
    const request = one.requests[one.wrong];
    if (request?.resent === true) return this.#isWorthLooking(observation, request);
    if (this.#raised.has(observation)) return false;
    this.#raised.set(observation, new Map());
    const { followUps } = observation.judgement;
    if (!followUps.includes('identify') && !followUps.includes('effects')) return false;
    const { world } = this.#at();
    return one.requests.some((each) => isSentAgain(each) || world.usesOld(each));
  }

  /** What a second sending does depends on the flags in the frame, and on what it finds. */
  #isWorthLooking(observation: Observed, { op, bytes }: CaseRequest): boolean {
    if (op === undefined || op.effect === 'none') return false;
    const frames = among(this.#raised, observation, () => new Map<Uint8Array, number>());
    const looks = frames.get(bytes) ?? 0;
    frames.set(bytes, looks + 1);
    return looks < MOST_LOOKS;
  }

  /** Judges without keeping anything. */
  judge(request: CaseRequest, outcome: Outcome): Judgement {
    const { world, era, frameOf } = this.#at();
    const probe = world.probeOf(request, frameOf(request), era);
    return tempered(judge(probe, outcome, this.scene()), world.usesOld(request));
  }

  /** What the oracle knows now. */
  scene(): Scene {
    const { world, era, maps } = this.#at();
    return { identities: world.identities, negotiated: era.negotiated, maps: maps() };
  }

  #at(): Bench {
    if (this.#bench === undefined) throw new Error('an observer before any life');
    return this.#bench;
  }

  #look(one: Case, request: CaseRequest, outcome: Outcome): Observed {
    const judgement = this.judge(request, outcome);
    const { verdict, followUps } = judgement;
    const errno = outcome.kind === 'reply' ? -errorOf(outcome.bytes) : 0;
    const signature = isUnsafe(verdict) ? judgement.signature : '';
    const { byWords } = this.#kindOf(one);
    const { op, mutator, relation } = one;
    const words = [verdict, errno, signature, ...followUps].join(' ');
    return among(byWords, words, () => ({ op, mutator, relation, verdict, errno, signature, judgement }));
  }

  #kindOf({ mutator, relation, op }: Case): Kind {
    const byRelation = among(this.#kinds, mutator, () => new Map<string, Map<string, Kind>>());
    const byOp = among(byRelation, relation, () => new Map<string, Kind>());
    return among(byOp, op, () => new Kind());
  }

  *#all(): Generator<Kind> {
    for (const byRelation of this.#kinds.values())
      for (const byOp of byRelation.values()) yield* byOp.values();
  }
}

/**
 * Only an id that once was right can be answered for the wrong object: a number out of the air that happens to be a live id is
 * answered rightly.
 */
const tempered = (judgement: Judgement, usesOld: boolean): Judgement => {
  if (usesOld || judgement.verdict !== 'wrong-object') return judgement;
  const { op, idKind } = judgement;
  return { ...judgement, verdict: 'unknown', signature: `unknown ${op} ${idKind}` };
};

const PRIME = 0x01000193;

/** A number for a good reply and the ids that it is about; equal for equal ones, and hardly ever for others. */
const markOf = ({ patches }: CaseRequest, reply: Uint8Array): number => {
  let high = 0x811c9dc5;
  let low = reply.length;
  for (const patch of patches) {
    const id = patch.kind === 'symbol' ? patch.symbol + (patch.shift === undefined ? 0 : 0x4000_0000) : 0;
    high = Math.imul(high ^ id, PRIME);
    low = Math.imul(low + id, 0x85ebca6b);
  }
  const end = Math.min(reply.length, TELLING_BYTES);
  for (let at = 16; at < end; at += 4) {
    const word = u32At(reply, at);
    high = Math.imul(high ^ word, PRIME);
    low = Math.imul(low + word, 0x85ebca6b) ^ (low >>> 13);
  }
  return (high >>> 0) * 0x20_0000 + (low >>> 11);
};

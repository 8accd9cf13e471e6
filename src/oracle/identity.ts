/**
 * To which object a reply to a stale id belongs. It knows no server and no strategy: it is told what was seen with valid
 * ids, and asked about the rest.
 */

import { errorOf } from '../protocol/header.js';
import type { Negotiated } from '../protocol/negotiated.js';
import type { Facts } from './facts.js';
import { type Fingerprint, isEmpty } from './fingerprint.js';
import { Journal } from './journal.js';
import { isExcluded, isTelling, type Likeness, pointsText } from './likeness.js';
import { Objects } from './objects.js';
import { accountOf, intentOf, type ObjectKey, type StepIds, type Told } from './seen.js';

/**
 * What a reply was about: the object that was meant, another one that is known, or one that nobody knows. `twins`: the one
 * that was meant, or others that are just like it. `unclear`: it tells too little, or what it tells contradicts itself.
 */
export interface Identification {
  readonly kind: 'same' | 'other' | 'stranger' | 'twins' | 'unclear';
  /** Other objects that fit. */
  readonly others: readonly ObjectKey[];
  /** What agrees and what differs, object by object. */
  readonly evidence: readonly string[];
}

/** What makes an `Identities`. */
export interface IdentitiesOptions {
  readonly negotiated: Negotiated;
  /** How people call an object of the plan: its path, or the reference in the plan. */
  readonly nameOf: (key: ObjectKey) => string;
  /** Key of the root, 0 by default. */
  readonly root?: ObjectKey;
  /** The steps that `observe` is told by number. */
  readonly stepAt?: (index: number) => StepIds | undefined;
}

/** Objects beyond this many are only counted. */
const SHOWN = 3;

interface Comparison {
  readonly subject: ObjectKey | undefined;
  readonly facts: Facts | undefined;
  readonly meant: Likeness | undefined;
  readonly others: readonly { readonly key: ObjectKey; readonly like: Likeness }[];
}

const isTwin = ({ like }: Comparison['others'][number]): boolean => like.differs.length === 0;
const fits = (like: Likeness): boolean => like.differs.length === 0 && isTelling(like);

const kindOf = ({ facts, meant, others }: Comparison): Identification['kind'] => {
  if (facts === undefined || meant === undefined) return 'unclear';
  const known = others.length > 0;
  if (facts.gone !== undefined) return known ? 'other' : 'stranger';
  if (fits(meant)) return known ? 'twins' : 'same';
  if (isExcluded(meant)) return known ? 'other' : 'stranger';
  // What differs might have changed unseen; then it is another one only if that fits in all and this one hardly at all.
  return meant.differs.length > 0 && !isTelling(meant) && others.some(isTwin) ? 'other' : 'unclear';
};

/** Everything that is known of the objects of one run. */
export class Identities {
  readonly #options: IdentitiesOptions;
  readonly #objects = new Objects();
  readonly #own = new Map<ObjectKey, string>();
  readonly #met: { told: Told; incarnation: number; isStoreChanged: boolean }[] = [];
  /** Objects that took the place of others while the server was down. */
  readonly #inPlace = new Map<ObjectKey, ObjectKey>();
  readonly #seen = new Journal<StepIds | number>();

  constructor(options: IdentitiesOptions) {
    this.#options = options;
  }

  /**
   * Takes the reply to a request with valid ids (a step, or the number of one), in the order of effects. It is kept and
   * read when the first question comes, so that this costs next to nothing; the bytes of a reply are copied. A reply that
   * was the same as the recorded one may be given as that one, at the price of its times and inode number.
   */
  observe(step: StepIds | number, reply: Uint8Array, incarnation: number): void {
    if (errorOf(reply) === 0) this.#seen.add(step, reply, incarnation);
  }

  /** Takes a request that was never answered, as the server died: nobody knows whether it took effect. */
  unanswered(step: StepIds | number, incarnation: number): void {
    this.#seen.add(step, undefined, incarnation);
  }

  /** Notes that an object is no more (deleted or replaced while the server was down): no good reply can be about it. */
  gone(key: ObjectKey, why: string): void {
    this.#read();
    this.#objects.of(key).gone = why;
  }

  /** Object that a path leads to as far as the run was told, names between slashes; `undefined` when nobody looked there. */
  keyAt(path: string): ObjectKey | undefined {
    this.#read();
    const names = path.split('/').filter((name) => name !== '');
    return names.reduce<ObjectKey | undefined>(
      (key, name) => (key === undefined ? undefined : this.#objects.get(key)?.children.get(name)),
      this.#options.root ?? 0,
    );
  }

  /**
   * Takes what a later incarnation tells, by ids of its own, about what now stands at the path of a known object. Where the
   * store was changed meanwhile it may be another object; else it is the same one, whatever the server lost of it. Those
   * that were looked up together are compared together.
   */
  meet(key: ObjectKey, told: Fingerprint, when: { incarnation: number; isStoreChanged: boolean }): void {
    this.#met.push({ ...when, told: { key, told } });
  }

  /** Makes an object that the plan does not have, such as one that came while the server was down. Keys are negative. */
  add(name: string): ObjectKey {
    const key = -1 - this.#own.size;
    this.#own.set(key, name);
    return key;
  }

  /** How people call an object. */
  nameOf(key: ObjectKey): string {
    return this.#own.get(key) ?? this.#options.nameOf(key);
  }

  /** What is known of an object; `undefined` when nothing was ever said about it. */
  factsOf(key: ObjectKey): Facts | undefined {
    this.#read();
    return this.#objects.get(key);
  }

  /** Says what a reply is about, by what it tells; `subject` is what it should be about, if the run knows that. */
  identify(told: Fingerprint, subject: ObjectKey | undefined): Identification {
    this.#read();
    if (isEmpty(told))
      return { kind: 'unclear', others: [], evidence: ['the reply tells nothing about its object'] };
    const facts = subject === undefined ? undefined : this.#objects.get(subject);
    const meant = facts === undefined ? undefined : this.#objects.compare(told, facts);
    const near = this.#others(told, subject);
    // Beside the object that was meant only those count that fit just as well.
    const isMeant = meant !== undefined && facts?.gone === undefined && fits(meant);
    const comparison = { subject, facts, meant, others: isMeant ? near.filter(isTwin) : near };
    return {
      kind: kindOf(comparison),
      others: comparison.others.map(({ key }) => key),
      evidence: this.#evidence(comparison),
    };
  }

  #read(): void {
    if (this.#seen.size > 0) this.#readSteps();
    if (this.#met.length > 0) this.#reconcile();
  }

  #reconcile(): void {
    const met = this.#met.splice(0);
    for (const incarnation of new Set(met.map((one) => one.incarnation))) {
      const here = met.filter((one) => one.incarnation === incarnation);
      const told = here.map((one) => one.told);
      this.#objects.survived(told, incarnation);
      if (here.some(({ isStoreChanged }) => isStoreChanged)) this.#findReplaced(told);
      for (const one of told) this.#objects.learn(this.#inPlaceOf(one.key), one.told, incarnation);
    }
  }

  /** What stands in an object's place may be told by several replies, which are about one and the same. */
  #findReplaced(told: readonly Told[]): void {
    for (const one of told) {
      const differs = this.#objects.replacedBy(one);
      if (differs === undefined || this.#inPlace.has(one.key)) continue;
      this.#objects.of(one.key).gone ??= `another object is in its place: ${differs}`;
      this.#inPlace.set(one.key, this.add(`${this.nameOf(one.key)} (in its place)`));
    }
  }

  #inPlaceOf(key: ObjectKey): ObjectKey {
    return this.#inPlace.get(key) ?? key;
  }

  #readSteps(): void {
    for (const { step, reply, incarnation } of this.#seen.take()) {
      const ids = typeof step === 'number' ? this.#options.stepAt?.(step) : step;
      if (ids !== undefined) this.#take(ids, reply, incarnation);
    }
  }

  #take(ids: StepIds, reply: Uint8Array | undefined, incarnation: number): void {
    const { negotiated } = this.#options;
    if (reply === undefined) {
      const intent = intentOf(ids, negotiated);
      if (intent !== undefined) this.#objects.doubt(intent);
    } else {
      const account = accountOf(ids, reply, negotiated);
      if (account !== undefined) this.#objects.take(account, incarnation);
    }
  }

  #others(told: Fingerprint, subject: ObjectKey | undefined): Comparison['others'] {
    return this.#objects.candidates(told).flatMap((key) => {
      const facts = this.#objects.get(key);
      if (key === subject || facts === undefined || facts.gone !== undefined) return [];
      const like = this.#objects.compare(told, facts);
      return !isExcluded(like) && isTelling(like) ? [{ key, like }] : [];
    });
  }

  #evidence({ subject, facts, meant, others }: Comparison): string[] {
    const name = subject === undefined ? 'an object that the run does not know' : this.nameOf(subject);
    const lines = others.map(({ key, like }) => `as ${this.nameOf(key)}: ${pointsText(like.agrees)}`);
    return [
      ...(facts?.gone === undefined ? [] : [`${name} is gone: ${facts.gone}`]),
      ...(meant === undefined ? [`nothing is known of ${name}`] : []),
      ...(meant === undefined || meant.agrees.length === 0
        ? []
        : [`as ${name}: ${pointsText(meant.agrees)}`]),
      ...(meant === undefined || meant.differs.length === 0
        ? []
        : [`unlike ${name}: ${pointsText(meant.differs)}`]),
      ...lines.slice(0, SHOWN),
      ...(lines.length > SHOWN ? [`as ${lines.length - SHOWN} more`] : []),
    ];
  }
}

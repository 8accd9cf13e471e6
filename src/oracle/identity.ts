/**
 * What the trace and the live incarnations told about each object, and to which object a reply to a stale id belongs. It
 * knows no server and no strategy: it is told what was seen with valid ids, and asked about the rest.
 */

import type { DecodedRequest } from '../protocol/decode.js';
import type { Negotiated } from '../protocol/negotiated.js';
import { Facts } from './facts.js';
import type { FactName, Fingerprint } from './fingerprint.js';
import { isEmpty } from './fingerprint.js';
import { isExcluded, isTelling, type Likeness, likeness, type Trust } from './likeness.js';
import { ObjectIndex } from './object-index.js';
import { type Account, accountOf, type ObjectKey, type StepIds } from './seen.js';

/** What a reply was about. `twins`: the object that was meant, or others that are just like it. */
export interface Identification {
  readonly kind: 'same' | 'other' | 'stranger' | 'twins' | 'unclear';
  /** Other objects that fit. */
  readonly others: readonly ObjectKey[];
  readonly evidence: readonly string[];
}

/** What makes an `Identities`. */
export interface IdentitiesOptions {
  readonly negotiated: Negotiated;
  /** How people call an object: its path, or the reference in the plan. */
  readonly nameOf: (key: ObjectKey) => string;
}

/** Facts that some servers keep only as long as they live: counted inode numbers, times of their own start. */
const doubted: readonly FactName[] = ['ino', 'mtime', 'ctime'];
/** A fact that changed on one object of this many did so for reasons of its own. */
const FEW = 4;

interface Known {
  readonly facts: Facts;
  /** Latest incarnation that told something. */
  incarnation: number;
}

interface Tested {
  kept: number;
  changed: number;
}

const texts = (points: Likeness['agrees']): string => points.map(({ text }) => text).join(', ');

const writtenBy = ({ fields }: DecodedRequest): Fingerprint =>
  'data' in fields && 'offset' in fields
    ? { scalars: {}, data: { offset: fields.offset, bytes: fields.data, asked: fields.data.length } }
    : { scalars: {} };

/** Everything that is known of the objects of one run. */
export class Identities {
  readonly #negotiated: Negotiated;
  readonly #nameOf: (key: ObjectKey) => string;
  readonly #known = new Map<ObjectKey, Known>();
  readonly #index = new ObjectIndex();
  readonly #tested = new Map<FactName, Tested>();
  readonly #own = new Map<ObjectKey, string>();
  readonly #waiting: { step: StepIds; reply: Uint8Array; incarnation: number }[] = [];
  #inodes = { echoes: 0, others: 0 };

  constructor({ negotiated, nameOf }: IdentitiesOptions) {
    this.#negotiated = negotiated;
    this.#nameOf = nameOf;
  }

  /**
   * Takes a reply to a request with valid ids, exchanges in the order of their effects. It is only kept here and read when
   * the first question comes, so this costs next to nothing; the bytes must stay as they are (a live reply that was the
   * same as the recorded one may be given as that one, at the price of its times and inode number).
   */
  observe(step: StepIds, reply: Uint8Array, incarnation: number): void {
    this.#waiting.push({ step, reply, incarnation });
  }

  /** Notes that an object is no more (deleted or replaced while the server was down): no good reply can be about it. */
  gone(key: ObjectKey, why: string): void {
    this.#read();
    this.#of(key).facts.gone = why;
  }

  /** Makes an object that the plan does not have, such as one that came while the server was down. Keys are negative. */
  add(name: string): ObjectKey {
    const key = -1 - this.#own.size;
    this.#own.set(key, name);
    return key;
  }

  /** How people call an object. */
  nameOf(key: ObjectKey): string {
    return this.#own.get(key) ?? this.#nameOf(key);
  }

  /** What is known of an object; `undefined` when nothing was ever said about it. */
  factsOf(key: ObjectKey): Facts | undefined {
    this.#read();
    return this.#known.get(key)?.facts;
  }

  /** Whether a kind of fact survives a restart of this server. */
  trust(name: FactName): Trust {
    if (!doubted.includes(name)) return 'proven';
    if (name === 'ino' && this.#inodes.echoes > 0 && this.#inodes.others === 0) return 'refuted';
    const { kept, changed } = this.#tested.get(name) ?? { kept: 0, changed: 0 };
    if (changed > 0 && changed * FEW >= kept) return 'refuted';
    return kept > 0 ? 'proven' : 'untested';
  }

  /** Says whether what a reply tells is about the object that was meant; `subject` is absent when nobody knows it. */
  identify(told: Fingerprint, subject: ObjectKey | undefined): Identification {
    this.#read();
    if (isEmpty(told))
      return { kind: 'unclear', others: [], evidence: ['the reply tells nothing about its object'] };
    const facts = subject === undefined ? undefined : this.#known.get(subject)?.facts;
    const meant = facts === undefined ? undefined : this.#like(told, facts);
    const others = this.#index.candidates(told).filter((key) => key !== subject && this.#fits(told, key));
    return this.#conclude({ subject, facts, meant, others, told });
  }

  #like(told: Fingerprint, facts: Facts): Likeness {
    return likeness(told, facts, (name) => this.trust(name));
  }

  #fits(told: Fingerprint, key: ObjectKey): boolean {
    const facts = this.#known.get(key)?.facts;
    if (facts === undefined || facts.gone !== undefined) return false;
    const like = this.#like(told, facts);
    return like.differs.length === 0 && isTelling(like);
  }

  #conclude(found: {
    readonly subject: ObjectKey | undefined;
    readonly facts: Facts | undefined;
    readonly meant: Likeness | undefined;
    readonly others: readonly ObjectKey[];
    readonly told: Fingerprint;
  }): Identification {
    const { subject, facts, meant, others } = found;
    const evidence = this.#evidence(found);
    const is = (kind: Identification['kind']): Identification => ({ kind, others, evidence });
    if (subject === undefined || facts === undefined || meant === undefined) return is('unclear');
    if (facts.gone !== undefined) return is(others.length > 0 ? 'other' : 'stranger');
    if (meant.differs.length === 0 && isTelling(meant)) return is(others.length > 0 ? 'twins' : 'same');
    if (meant.differs.length > 0 && others.length > 0) return is('other');
    return is(isExcluded(meant) ? 'stranger' : 'unclear');
  }

  #evidence({
    subject,
    facts,
    meant,
    others,
    told,
  }: {
    readonly subject: ObjectKey | undefined;
    readonly facts: Facts | undefined;
    readonly meant: Likeness | undefined;
    readonly others: readonly ObjectKey[];
    readonly told: Fingerprint;
  }): string[] {
    const name = subject === undefined ? 'an object that nobody knows' : this.nameOf(subject);
    const out: string[] = [];
    if (facts?.gone !== undefined) out.push(`${name} is gone: ${facts.gone}`);
    if (meant !== undefined && meant.agrees.length > 0) out.push(`as ${name}: ${texts(meant.agrees)}`);
    if (meant !== undefined && meant.differs.length > 0) out.push(`unlike ${name}: ${texts(meant.differs)}`);
    if (meant === undefined) out.push(`nothing is known of ${name}`);
    for (const key of others.slice(0, 3)) {
      const known = this.#known.get(key)?.facts;
      if (known !== undefined) out.push(`as ${this.nameOf(key)}: ${texts(this.#like(told, known).agrees)}`);
    }
    if (others.length > 3) out.push(`as ${others.length - 3} more`);
    return out;
  }

  #of(key: ObjectKey): Known {
    const known = this.#known.get(key) ?? { facts: new Facts(), incarnation: 0 };
    this.#known.set(key, known);
    return known;
  }

  #read(): void {
    for (const { step, reply, incarnation } of this.#waiting.splice(0)) {
      const account = accountOf(step, reply, this.#negotiated);
      if (account !== undefined) this.#take(account, incarnation);
    }
  }

  #take(account: Account, incarnation: number): void {
    const { request, node, second, child, told } = account;
    if (node !== undefined) this.#of(node).facts.change(request);
    if (second !== undefined && second !== node) this.#of(second).facts.change(request, true);
    this.#followNames(account);
    for (const one of told) this.#learn(one.key, one.told, incarnation);
    if (node !== undefined && 'data' in request.fields) this.#index.add(node, writtenBy(request));
    if (child !== undefined) this.#noteInode(account);
  }

  #learn(key: ObjectKey, told: Fingerprint, incarnation: number): void {
    const known = this.#of(key);
    if (known.incarnation < incarnation) this.#test(known.facts, told);
    known.facts.learn(told);
    known.incarnation = incarnation;
    this.#index.add(key, told);
  }

  /** An object that a later incarnation was asked for anew shows which facts survived. */
  #test({ scalars }: Facts, told: Fingerprint): void {
    for (const name of doubted) {
      const [before, now] = [scalars[name], told.scalars[name]];
      if (before === undefined || now === undefined) continue;
      const tested = this.#tested.get(name) ?? { kept: 0, changed: 0 };
      this.#tested.set(name, tested);
      if (before === now) tested.kept++;
      else tested.changed++;
    }
  }

  /** Names come and go with acknowledged requests: made ones in the directory of the header, moved ones between both. */
  #followNames({ request, reply, node, second, child }: Account): void {
    const { op, fields } = request;
    if (op === undefined || node === undefined) return;
    if ('oldname' in fields) this.#move(fields.oldname, node, [fields.newname, second ?? node]);
    else if ('newname' in fields) this.#name(node, fields.newname, child);
    else if ('name' in fields && op.header === 'parent' && op.effect !== 'handle') {
      const given = 'nodeid' in reply.fields && reply.fields.nodeid !== 0n;
      if (given) this.#name(node, fields.name, child);
      else this.#unname(node, fields.name);
    }
  }

  #name(directory: ObjectKey, name: string, child: ObjectKey | undefined): void {
    const { names, children } = this.#of(directory).facts;
    names.set(name, true);
    if (child !== undefined) children.set(name, child);
  }

  /** The object that had the name has one link less, or a new time of change. */
  #unname(directory: ObjectKey, name: string): ObjectKey | undefined {
    const { names, children } = this.#of(directory).facts;
    const child = children.get(name);
    if (child !== undefined) this.#of(child).facts.forget('nlink', 'ctime');
    names.set(name, false);
    children.delete(name);
    return child;
  }

  #move(oldname: string, from: ObjectKey, [newname, to]: [string, ObjectKey]): void {
    const moved = this.#unname(from, oldname);
    this.#unname(to, newname);
    this.#name(to, newname, moved);
  }

  /** High-level libraries put the nodeid where the inode number should be. */
  #noteInode({ reply }: Account): void {
    const fields = reply.fields;
    if (!('nodeid' in fields) || !('attr' in fields) || fields.nodeid === 0n) return;
    if (fields.nodeid === fields.attr.ino) this.#inodes.echoes++;
    else this.#inodes.others++;
  }
}

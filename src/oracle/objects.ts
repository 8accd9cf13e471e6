/**
 * What is known of each object of a run, from exchanges with valid ids: replies tell, acknowledged changes make facts known
 * anew or unknown. It is told which object each id named and judges nothing.
 */

import type { DecodedReply, DecodedRequest } from '../protocol/decode.js';
import { Facts } from './facts.js';
import { DIRECTORY, type Fingerprint, type Scalars } from './fingerprint.js';
import { isExcluded, type Likeness, likeness, pointsText } from './likeness.js';
import { ObjectIndex } from './object-index.js';
import type { Account, ObjectKey, Told } from './seen.js';
import { Survival } from './survival.js';

interface Known {
  readonly facts: Facts;
  /** Latest incarnation that told something. */
  incarnation: number;
}

/** What a WRITE put into its file. */
const writtenBy = ({ fields }: DecodedRequest): Fingerprint | undefined =>
  'data' in fields && 'offset' in fields
    ? { scalars: {}, data: { offset: fields.offset, bytes: fields.data, asked: fields.data.length } }
    : undefined;

const nodeidAndInode = ({ fields }: DecodedReply): readonly [bigint, bigint] | undefined =>
  'nodeid' in fields && 'attr' in fields && fields.nodeid !== 0n
    ? [fields.nodeid, fields.attr.ino]
    : undefined;

/** Nothing but a change from outside gives an object another time while no server runs. */
const isTouched = ({ type, mtime: before }: Scalars, { mtime: now }: Scalars): boolean =>
  type !== DIRECTORY && before !== undefined && now !== undefined && before !== now;

/** The objects by their keys. */
export class Objects {
  readonly survival = new Survival();
  readonly #known = new Map<ObjectKey, Known>();
  readonly #index = new ObjectIndex();

  /** Facts of an object; `undefined` when nothing was said about it. */
  get(key: ObjectKey): Facts | undefined {
    return this.#known.get(key)?.facts;
  }

  /** Facts of an object, to be added to. */
  of(key: ObjectKey): Facts {
    return this.#of(key).facts;
  }

  /** Objects of which something was told that this reply tells too. */
  candidates(told: Fingerprint): readonly ObjectKey[] {
    return this.#index.candidates(told);
  }

  /** Takes an exchange that succeeded. */
  take(account: Account, incarnation: number): void {
    this.#change(account);
    this.#followNames(account);
    for (const { key, told } of account.told) this.learn(key, told, incarnation);
    const written = account.node === undefined ? undefined : writtenBy(account.request);
    if (account.node !== undefined && written !== undefined) this.#index.add(account.node, written);
    const minted = nodeidAndInode(account.reply);
    if (account.child !== undefined && minted !== undefined) this.survival.noteInode(...minted);
  }

  /** Finds out which facts survive on objects that a later incarnation was asked for anew. */
  survived(told: readonly Told[], incarnation: number): void {
    for (const { key, told: now } of told) {
      const known = this.#known.get(key);
      if (known === undefined || known.incarnation >= incarnation) continue;
      this.survival.note(known.facts.scalars, now.scalars);
      // Once is enough, however many replies tell of it.
      known.incarnation = incarnation;
    }
  }

  /** What shows that another object stands where a known one stood; `undefined` when it may be the same. */
  replacedBy({ key, told }: Told): string | undefined {
    const facts = this.get(key);
    if (facts === undefined) return undefined;
    const { differs } = this.compare(told, facts);
    const touched = this.survival.trust('mtime') === 'proven' && isTouched(facts.scalars, told.scalars);
    return touched || isExcluded({ agrees: [], differs }) ? pointsText(differs) : undefined;
  }

  /** Compares what a reply tells with an object, as far as the facts of this server can be relied on. */
  compare(told: Fingerprint, facts: Facts): Likeness {
    return likeness(told, facts, (name) => this.survival.trust(name));
  }

  /** Forgets what a request may have changed of which nobody knows whether it took effect. */
  doubt({ request, node, second }: Pick<Account, 'request' | 'node' | 'second'>): void {
    for (const key of [node, second]) if (key !== undefined) this.of(key).doubt(request);
  }

  #of(key: ObjectKey): Known {
    const known = this.#known.get(key) ?? { facts: new Facts(), incarnation: 0 };
    this.#known.set(key, known);
    return known;
  }

  #change({ request, node, second }: Account): void {
    if (node !== undefined) this.of(node).change(request);
    if (second !== undefined) this.of(second).change(request, true);
  }

  /** Takes what a reply told about an object. */
  learn(key: ObjectKey, told: Fingerprint, incarnation: number): void {
    const known = this.#of(key);
    if (known.incarnation < incarnation) this.survival.note(known.facts.scalars, told.scalars);
    known.facts.learn(told);
    known.incarnation = incarnation;
    this.#index.add(key, told);
  }

  /** Names come and go with requests: made and removed ones in the directory of the header, moved ones between both. */
  #followNames({ request, reply, node, second, child }: Account): void {
    const { op, fields } = request;
    if (op === undefined || node === undefined) return;
    if ('oldname' in fields) this.#move(fields.oldname, node, [fields.newname, second ?? node]);
    else if ('newname' in fields) this.#name(node, fields.newname, child);
    // The name of a TMPFILE is a placeholder.
    else if ('name' in fields && op.header === 'parent' && op.effect !== 'handle') {
      const given = 'nodeid' in reply.fields && reply.fields.nodeid !== 0n;
      if (given) this.#name(node, fields.name, child);
      else this.#unname(node, fields.name);
    }
  }

  #name(directory: ObjectKey, name: string, child: ObjectKey | undefined): void {
    const facts = this.of(directory);
    facts.names.set(name, true);
    if (child !== undefined) facts.children.set(name, child);
  }

  /** The object that had the name has one link less, or a new time of change. */
  #unname(directory: ObjectKey, name: string): ObjectKey | undefined {
    const { names, children } = this.of(directory);
    const child = children.get(name);
    if (child !== undefined) this.of(child).forget('nlink', 'ctime');
    names.set(name, false);
    children.delete(name);
    return child;
  }

  #move(oldname: string, from: ObjectKey, [newname, to]: readonly [string, ObjectKey]): void {
    const moved = this.#unname(from, oldname);
    this.#unname(to, newname);
    this.#name(to, newname, moved);
  }
}

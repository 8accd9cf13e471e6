/** The steps of a plan as columns, so that a million of them cost their bytes and little more. It knows no messages. */

import { Column } from '../kernel/column.js';
import { errorOf, opcodeOf } from '../protocol/header.js';
import type { IdUse } from '../protocol/operation.js';
import { type Operation, operationOf } from '../protocol/operations.js';
import { ByteArena, type Keepsake, type Rereading } from './byte-arena.js';
import { Spans, Wide } from './columns.js';
import type { Mint, Patch, Sequence, Step } from './plan.js';

/** What is known of a request when it is sent, besides its frame. */
export interface SentFacts {
  readonly timeNs: number;
  readonly incarnation: number;
  readonly resent: boolean;
}

const RESENT = 1;
const FAILED = 2;
/** Views of steps that are kept: a replay asks for the same step five times. Few, as one may hold a frame that was read again. */
const RECENT = 64;

/** Steps in the order of sending. */
export class StepStore implements Sequence<Step> {
  #length = 0;
  readonly #arena: ByteArena;
  readonly #uses: IdUse[] = [];
  readonly #useNumbers = new Map<IdUse, number>();
  readonly #seq = new Wide();
  readonly #timeNs = new Wide();
  readonly #replyTimeNs = new Wide();
  readonly #incarnation = new Column();
  readonly #opcode = new Column();
  readonly #bits = new Column();
  readonly #template = new Column();
  readonly #reply = new Column();
  readonly #answeredBefore = new Column();
  readonly #patches = new Spans();
  readonly #mints = new Spans();
  readonly #affected = new Spans();
  /** For each item of a span: where, which use, and of what. */
  readonly #patchAt = new Column();
  readonly #patchUse = new Column();
  readonly #patchOf = new Column();
  readonly #mintAt = new Column();
  readonly #mintUse = new Column();
  readonly #mintOf = new Column();
  readonly #affectedSymbol = new Column();
  /** Steps in the order in which they were answered. */
  readonly #answers = new Column();
  #answerCount = 0;
  readonly #after = new Spans();
  readonly #afterStep = new Column();
  readonly #recent: StoredStep[] = [];

  /** `rereading` is where large frames come from once many were copied; without it all are. */
  constructor(rereading?: Rereading) {
    this.#arena = new ByteArena(rereading);
  }

  get length(): number {
    return this.#length;
  }

  at(index: number): Step | undefined {
    if (!(index >= 0 && index < this.#length)) return undefined;
    const recent = this.#recent[index % RECENT];
    if (recent?.index === index) return recent;
    const step = new StoredStep(this, index);
    this.#recent[index % RECENT] = step;
    return step;
  }

  *[Symbol.iterator](): Iterator<Step> {
    for (let index = 0; index < this.#length; index++) yield new StoredStep(this, index);
  }

  /** Adds a request. Its patches follow with `patch`. */
  add(frame: Keepsake, facts: SentFacts): number {
    const step = this.#length++;
    this.#seq.set(step, frame.seq);
    this.#timeNs.set(step, facts.timeNs);
    this.#incarnation.set(step, facts.incarnation);
    this.#opcode.set(step, opcodeOf(frame.bytes));
    this.#bits.set(step, facts.resent ? RESENT : 0);
    this.#template.set(step, this.#arena.keep(frame));
    return step;
  }

  /** Adds a patch to the step that was added last; `of` is the symbol, or for a unique the step plus one. */
  patch(step: number, offset: number, use: IdUse, of: number): void {
    const at = this.#patches.extend(step);
    this.#patchAt.set(at, offset);
    this.#patchUse.set(at, this.#numberOf(use));
    this.#patchOf.set(at, of);
  }

  /** Notes the answer to a step. Its mints follow with `mint`. */
  answer(step: number, frame: Keepsake, timeNs: number): void {
    this.#reply.set(step, this.#arena.keep(frame) + 1);
    this.#replyTimeNs.set(step, timeNs);
    if (errorOf(frame.bytes) !== 0) this.#bits.set(step, this.#bits.get(step) | FAILED);
    this.#answeredBefore.set(step, this.#length);
    this.#answers.set(this.#answerCount++, step);
  }

  /** Adds a mint to the step that was answered last. */
  mint(step: number, offset: number, use: IdUse, symbol: number): void {
    const at = this.#mints.extend(step);
    this.#mintAt.set(at, offset);
    this.#mintUse.set(at, this.#numberOf(use));
    this.#mintOf.set(at, symbol);
  }

  /** The step that was answered last changed an object that it named only by its name. */
  affect(step: number, symbol: number): void {
    this.#affectedSymbol.set(this.#affected.extend(step), symbol);
  }

  /** Adds to what comes before a step; all of one step in a row. */
  order(step: number, before: number): void {
    this.#afterStep.set(this.#after.extend(step), before);
  }

  /** Answers so far. */
  get answerCount(): number {
    return this.#answerCount;
  }

  /** The step that got the nth answer. */
  answeredAt(nth: number): number {
    return this.#answers.get(nth);
  }

  seqOf(step: number): number {
    return this.#seq.get(step);
  }

  timeNsOf(step: number): number {
    return this.#timeNs.get(step);
  }

  replyTimeNsOf(step: number): number {
    return this.#replyTimeNs.get(step);
  }

  incarnationOf(step: number): number {
    return this.#incarnation.get(step);
  }

  isResent(step: number): boolean {
    return (this.#bits.get(step) & RESENT) !== 0;
  }

  /** Whether the reply said an error. */
  isFailed(step: number): boolean {
    return (this.#bits.get(step) & FAILED) !== 0;
  }

  opOf(step: number): Operation | undefined {
    return operationOf(this.#opcode.get(step));
  }

  templateOf(step: number): Uint8Array {
    return this.#arena.read(this.#template.get(step));
  }

  templateKept(step: number): number {
    return this.#arena.keptOf(this.#template.get(step));
  }

  replyOf(step: number): Uint8Array | undefined {
    return this.isAnswered(step) ? this.#arena.read(this.#reply.get(step) - 1) : undefined;
  }

  replyKept(step: number): number {
    return this.isAnswered(step) ? this.#arena.keptOf(this.#reply.get(step) - 1) : 0;
  }

  isAnswered(step: number): boolean {
    return this.#reply.get(step) !== 0;
  }

  /** Index of the first step sent after the answer; 0 when there was none. */
  answeredBefore(step: number): number {
    return this.#answeredBefore.get(step);
  }

  patchesOf(step: number): Patch[] {
    return this.#patches.map(step, (at) => {
      const use = this.#useOf(this.#patchUse.get(at));
      const offset = this.#patchAt.get(at);
      const of = this.#patchOf.get(at);
      return use.kind === 'unique'
        ? { kind: 'step', offset, use, step: of === 0 ? undefined : of - 1 }
        : { kind: 'symbol', offset, use, symbol: of };
    });
  }

  mintsOf(step: number): Mint[] {
    return this.#mints.map(step, (at) => ({
      offset: this.#mintAt.get(at),
      use: this.#useOf(this.#mintUse.get(at)),
      symbol: this.#mintOf.get(at),
    }));
  }

  afterOf(step: number): number[] {
    return this.#after.map(step, (at) => this.#afterStep.get(at));
  }

  /** Calls back for each symbol that the request names, without making patches. */
  eachPatched(step: number, visit: (symbol: number, use: IdUse) => void): void {
    this.#patches.each(step, (at) => {
      const use = this.#useOf(this.#patchUse.get(at));
      if (use.kind !== 'unique') visit(this.#patchOf.get(at), use);
    });
  }

  /** Calls back for each symbol that the reply minted. */
  eachMinted(step: number, visit: (symbol: number) => void): void {
    this.#mints.each(step, (at) => visit(this.#mintOf.get(at)));
  }

  /** Calls back for each symbol that was changed without being named. */
  eachAffected(step: number, visit: (symbol: number) => void): void {
    this.#affected.each(step, (at) => visit(this.#affectedSymbol.get(at)));
  }

  /** Calls back for each step that comes before this one. */
  eachAfter(step: number, visit: (before: number) => void): void {
    this.#after.each(step, (at) => visit(this.#afterStep.get(at)));
  }

  /** Steps that come before this one. */
  afterCount(step: number): number {
    return this.#after.countOf(step);
  }

  #numberOf(use: IdUse): number {
    const known = this.#useNumbers.get(use);
    if (known !== undefined) return known;
    this.#useNumbers.set(use, this.#uses.length);
    return this.#uses.push(use) - 1;
  }

  #useOf(number: number): IdUse {
    const use = this.#uses[number];
    if (use === undefined) throw new Error(`plan: no id use ${number}`);
    return use;
  }
}

class StoredStep implements Step {
  readonly index: number;
  readonly #store: StepStore;
  #template: Uint8Array | undefined;
  #patches: readonly Patch[] | undefined;
  #mints: readonly Mint[] | undefined;

  constructor(store: StepStore, index: number) {
    this.#store = store;
    this.index = index;
  }

  get seq(): number {
    return this.#store.seqOf(this.index);
  }

  get timeNs(): number {
    return this.#store.timeNsOf(this.index);
  }

  get replyTimeNs(): number | undefined {
    return this.answered ? this.#store.replyTimeNsOf(this.index) : undefined;
  }

  get incarnation(): number {
    return this.#store.incarnationOf(this.index);
  }

  get op(): Operation | undefined {
    return this.#store.opOf(this.index);
  }

  get template(): Uint8Array {
    this.#template ??= this.#store.templateOf(this.index);
    return this.#template;
  }

  get templateKept(): number {
    return this.#store.templateKept(this.index);
  }

  get patches(): readonly Patch[] {
    this.#patches ??= this.#store.patchesOf(this.index);
    return this.#patches;
  }

  get reply(): Uint8Array | undefined {
    return this.#store.replyOf(this.index);
  }

  get replyKept(): number {
    return this.#store.replyKept(this.index);
  }

  get mints(): readonly Mint[] {
    this.#mints ??= this.#store.mintsOf(this.index);
    return this.#mints;
  }

  get after(): readonly number[] {
    return this.#store.afterOf(this.index);
  }

  get answered(): boolean {
    return this.#store.isAnswered(this.index);
  }

  get answeredBefore(): number | undefined {
    return this.answered ? this.#store.answeredBefore(this.index) : undefined;
  }

  get resent(): boolean {
    return this.#store.isResent(this.index);
  }
}

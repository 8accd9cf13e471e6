/** A plan as lines of text: one for each step, before it the symbols and notifications that it is the first to need. */

import { decodeNotification } from '../../protocol/decode.js';
import { encodeNotification } from '../../protocol/encode.js';
import { UNIQUE_RESEND } from '../../protocol/flags.js';
import { uniqueOf } from '../../protocol/header.js';
import { newestNegotiated } from '../../protocol/negotiated.js';
import type { Notice, Plan, PlanSymbol, Step } from '../plan.js';
import { ROOT_SYMBOL } from '../plan.js';
import { isOwnUnique } from '../repeat.js';
import { shifted } from '../shift.js';
import { factsText } from './facts.js';
import { fieldWords } from './fields.js';
import { ofMints, ofPatches } from './identified.js';
import { mintWords } from './mint-text.js';
import { bigText, modeText, rangesText } from './numbers.js';
import { payloadText, type StorePayload } from './payload.js';
import { kindOfSymbol, type Reference, referenceText, type SymbolKind, symbolText } from './references.js';
import { replyText } from './reply-text.js';
import { type FrameWriting, type HeaderFacts, requestText } from './request-text.js';
import { sessionWords } from './session-text.js';

/** First line of every plan. */
export const TITLE = 'relight plan 1';

/** How a plan is written. */
export interface WriteOptions {
  /** Where long contents go; by default they stay in the text. */
  readonly store?: StorePayload;
}

/** The lines of a plan, without line ends. `readPlan` gives an equal plan back. */
export function* writePlan(plan: Plan, options: WriteOptions = {}): Generator<string> {
  const { store = () => undefined } = options;
  const writer = new Writer(plan, store);
  yield TITLE;
  yield `session ${sessionWords(plan.negotiated).join(' ')}`;
  if (plan.init !== undefined) yield writer.handshake(plan.init, plan.initReply);
  const { strayReplies, strayAnswers, broken, missing } = plan.notes;
  yield `notes ${factsText(texts({ strayReplies, strayAnswers, broken, missing }))}`;
  let notice = 0;
  const noticesUpTo = function* (index: number): Generator<string> {
    for (; (plan.notices[notice]?.before ?? Number.POSITIVE_INFINITY) <= index; notice++)
      yield* plan.notices.slice(notice, notice + 1).map((one) => writer.notice(one));
  };
  for (const step of plan.steps) {
    yield* noticesUpTo(step.index);
    yield* writer.symbolsOf(step);
    yield writer.step(step);
  }
  yield* noticesUpTo(plan.steps.length);
  yield* writer.otherSymbols();
  for (const { seq, incarnation, step } of plan.resends)
    yield `resend ${step} ${factsText(texts({ seq, incarnation }))}`;
}

const texts = (numbers: Readonly<Record<string, number>>): Record<string, string | undefined> =>
  Object.fromEntries(
    Object.entries(numbers).map(([name, number]) => [name, number === 0 ? undefined : String(number)]),
  );

class Writer {
  readonly #plan: Plan;
  readonly #writing: FrameWriting;
  readonly #isDeclared: Uint8Array;

  constructor(plan: Plan, store: StorePayload) {
    this.#plan = plan;
    const numberOf = (reference: Reference): bigint | undefined => this.#numberOf(reference);
    this.#writing = { session: plan.negotiated, store, numberOf };
    this.#isDeclared = new Uint8Array(plan.symbols.length);
    this.#isDeclared[ROOT_SYMBOL] = 1;
  }

  /** INIT and its answer. */
  handshake(init: Uint8Array, reply: Uint8Array | undefined): string {
    const writing = { ...this.#writing, session: newestNegotiated };
    const request = requestText(init, [], writing);
    const words = ['init', ...request.words, factsText(headerFacts(request.facts))];
    if (reply !== undefined) words.push('=>', ...replyText(init, reply, [], writing).words);
    return words.join(' ');
  }

  /** Lines for the symbols that no earlier step named. */
  *symbolsOf(step: Step): Generator<string> {
    for (const patch of step.patches) if (patch.kind === 'symbol') yield* this.#declare(patch.symbol);
    for (const { symbol } of step.mints) yield* this.#declare(symbol);
  }

  /** Lines for the symbols that no step names. */
  *otherSymbols(): Generator<string> {
    for (const { id } of this.#plan.symbols) yield* this.#declare(id);
  }

  step(step: Step): string {
    const request = requestText(step.template, ofPatches(step.patches, this.#kindOf), this.#writing);
    const facts = factsText({
      at: String(step.timeNs),
      ...texts({ seq: step.seq, incarnation: step.incarnation }),
      ...headerFacts(request.facts),
      ...repeatFacts(step),
      kept: keptText(step.templateKept, step.template),
      after: rangesText(step.after) || undefined,
    });
    return [step.index, ...request.words, facts, ...this.#reply(step)].join(' ');
  }

  notice(notice: Notice): string {
    const { bytes, seq, incarnation, timeNs, answer } = notice;
    const facts = factsText({ at: String(timeNs), ...texts({ seq, incarnation }) });
    const { store } = this.#writing;
    const answered = answer === undefined ? [] : ['=>', `raw=${payloadText(answer, store)}`];
    return ['notice', ...this.#notification(bytes), facts, ...answered].join(' ');
  }

  #notification(bytes: Uint8Array): string[] {
    const { session, store } = this.#writing;
    const decoded = decodeNotification(bytes, session);
    const isPlain = decoded.kind === 'notification' && decoded.op !== undefined;
    if (!isPlain || Buffer.compare(encodeNotification(decoded, session), bytes) !== 0)
      return [`raw=${payloadText(bytes, store)}`];
    const words = fieldWords(decoded.op.body, decoded.fields, { reference: () => undefined, store });
    return [decoded.op.name, ...words];
  }

  #reply(step: Step): string[] {
    const { reply, template, mints, replyTimeNs = 0, answeredBefore = 0 } = step;
    if (reply === undefined) return mints.length === 0 ? [] : ['=>', ...mintWords(mints, this.#kindOf)];
    const { words, unique } = replyText(template, reply, ofMints(mints, this.#kindOf), this.#writing);
    const facts = factsText({
      at: String(replyTimeNs),
      unique: unique === undefined || unique === uniqueOf(template) ? undefined : bigText(unique),
      kept: keptText(step.replyKept, reply),
      until: String(answeredBefore),
    });
    return ['=>', ...words, facts];
  }

  *#declare(id: number): Generator<string> {
    const symbol = this.#isDeclared[id] === 1 ? undefined : this.#plan.symbols.at(id);
    if (symbol === undefined) return;
    this.#isDeclared[id] = 1;
    if (symbol.node !== undefined) yield* this.#declare(symbol.node);
    yield symbolLine(symbol);
  }

  readonly #kindOf = (symbol: number): SymbolKind => {
    const found = this.#plan.symbols.at(symbol);
    return found === undefined ? 'node' : kindOfSymbol(found);
  };

  #numberOf(reference: Reference): bigint | undefined {
    if (reference.kind !== 'step') {
      const recorded = this.#plan.symbols.at(reference.symbol)?.recorded;
      return recorded === undefined || reference.shift === undefined
        ? recorded
        : shifted(recorded, reference.shift);
    }
    const target = reference.step === undefined ? undefined : this.#plan.steps.at(reference.step);
    return target && uniqueOf(target.template) & ~UNIQUE_RESEND;
  }
}

const headerFacts = (facts: HeaderFacts | undefined): Record<string, string | undefined> =>
  facts === undefined
    ? {}
    : {
        unique: bigText(facts.unique),
        ...texts({ uid: facts.uid, gid: facts.gid, pid: facts.pid }),
      };

const keptText = (kept: number, bytes: Uint8Array): string | undefined =>
  kept === bytes.length ? undefined : String(kept);

/** The unique of a request that repeats another. */
const repeatFacts = ({ patches, resent }: Step): Record<string, string | undefined> => {
  const repeat = patches.find((patch) => patch.kind === 'step' && isOwnUnique(patch));
  if (repeat?.kind !== 'step') return {};
  return {
    unique: referenceText({ kind: 'step', step: repeat.step }),
    resent: resent ? '1' : undefined,
  };
};

const symbolLine = (symbol: PlanSymbol): string => {
  const { id, mintedBy, generation, type, path, node, spot } = symbol;
  const kind = kindOfSymbol(symbol);
  if (spot !== undefined)
    return `${kind} ${symbolText(kind, id)} ${spot.place} ${factsText(texts({ incarnation: spot.incarnation }))}`;
  const facts = factsText({
    by: mintedBy === undefined ? undefined : String(mintedBy),
    generation: generation === undefined ? undefined : bigText(generation),
    type: type === undefined ? undefined : modeText(type),
  });
  const words: string[] = [kind, symbolText(kind, id), bigText(symbol.recorded)];
  if (node !== undefined) words.push(symbolText('node', node));
  else if (path !== undefined) words.push(JSON.stringify(path));
  return [...words, facts].join(' ');
};

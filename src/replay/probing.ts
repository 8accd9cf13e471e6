/** Uses stale ids on purpose: one probe at a time against the new incarnation, with a look at what else it did. */

import type { Command } from '../kernel/conversation.js';
import type { Outcome } from '../oracle/probe.js';
import { completed, isUnsafe, type Judgement } from '../oracle/verdict.js';
import type { PlanSymbol } from '../plan/plan.js';
import type { DriveEnd } from './driver.js';
import { endingOf } from './ending.js';
import type { IncarnationParts, Incarnations } from './incarnations.js';
import { fits, makeProbe, type ProbeKind, probeKinds, type ReadyProbe } from './probes.js';
import type { RequestSource } from './request-source.js';
import { silenceOf } from './silence.js';
import type { Case, Witness } from './witness.js';

/** Tags of probes begin above those of any plan. */
const FIRST_TAG = 0x4000_0000;

/** Sends one request and waits for what becomes of it. */
class OneRequest implements RequestSource {
  outcome: Outcome | undefined;
  /** The request as the kernel sent it; absent when it did not. */
  sent: Uint8Array | undefined;
  readonly #request: { readonly bytes: Uint8Array; readonly tag: number; readonly minted: number };
  #isSent = false;

  constructor(request: { bytes: Uint8Array; tag: number; minted: number }) {
    this.#request = request;
  }

  next(): { bytes: Uint8Array; tag: number; minted: number } | undefined {
    if (this.#isSent) return undefined;
    this.#isSent = true;
    return this.#request;
  }

  isDone(): boolean {
    return this.outcome !== undefined;
  }

  hear(command: Command): void {
    if (!('tag' in command) || command.tag !== this.#request.tag) return;
    if (command.kind === 'send') this.sent = command.bytes;
    if (command.kind === 'replied')
      this.outcome = { kind: 'reply', bytes: command.reply, refusal: command.refusal };
    else if (command.kind === 'withheld') this.outcome = { kind: 'withheld', by: command.by };
    else if (command.kind === 'rejected')
      this.outcome = { kind: 'reply', bytes: command.bytes, refusal: command.refusal };
    else if (command.kind === 'send' && !command.awaits) this.outcome = { kind: 'swallowed' };
  }
}

/** Probes the stale ids that a plan left behind. */
export class Probing {
  readonly #parts: IncarnationParts;
  readonly #incarnations: Incarnations;
  readonly #witness: Witness;
  #tag = FIRST_TAG;

  constructor(
    parts: IncarnationParts,
    { incarnations, witness }: { readonly incarnations: Incarnations; readonly witness: Witness },
  ) {
    this.#parts = parts;
    this.#incarnations = incarnations;
    this.#witness = witness;
  }

  /** Tries every kind of probe on every chosen id, until the server dies too often. */
  async run(): Promise<void> {
    const { options, state, store } = this.#parts;
    const changes = options.probes === 'write' && store.isDisposable;
    if (this.#witness.isBlind) {
      await this.#incarnations.showUndisturbed();
      await this.#incarnations.renew(state.plan.steps.length);
    }
    for (const kind of probeKinds) {
      if (kind.does === 'changes' && !changes) continue;
      for (const symbol of this.#chosen(kind)) {
        if (this.#incarnations.isHopeless) return;
        if (state.mintedIn[symbol.id] === state.incarnation) continue;
        await this.#probe(kind, symbol);
      }
    }
  }

  /** Symbols that the kernel held at the restart and a kind of probe is for: spread over the plan when there are more than the limit. */
  #chosen(kind: ProbeKind): PlanSymbol[] {
    const { plan } = this.#parts.state;
    const fitting = [...plan.symbols].filter((symbol) => {
      const node = this.#nodeOf(symbol);
      return this.#incarnations.held.has(symbol.id) && node !== undefined && fits(kind, symbol, node);
    });
    const step = Math.max(1, Math.ceil(fitting.length / this.#parts.options.probeLimit));
    return fitting.filter((_, index) => index % step === 0);
  }

  #nodeOf(symbol: PlanSymbol): PlanSymbol | undefined {
    return symbol.kind === 'node' ? symbol : this.#parts.state.plan.symbols.at(symbol.node ?? -1);
  }

  async #probe(kind: ProbeKind, symbol: PlanSymbol): Promise<void> {
    const { state, driver, judging } = this.#parts;
    const node = this.#nodeOf(symbol);
    if (node === undefined) return;
    if (driver.server === undefined) return this.#incarnations.revive(state.plan.steps.length);
    const before = this.#witness.before();
    const ready = makeProbe(
      kind,
      { symbol, node },
      { bindings: state.bindings, negotiated: driver.kernel.negotiated },
    );
    const meant = judging.ofProbe(ready, ready.request.slice());
    const { outcome, request } = await this.#send(ready);
    const probe = judging.ofProbe(ready, request);
    if (outcome.kind === 'withheld') return judging.keep(judging.judge(meant, outcome));
    if (probe.stale.length === 0) {
      judging.keep(judging.judge(meant, foundAnew));
      // It was a rightful change or release all the same.
      return kind.does === 'reads' ? undefined : this.#incarnations.renew(state.plan.steps.length);
    }
    const judgement = judging.judge(probe, outcome);
    const final = await this.#follow(ready, { probe, judgement, before }, outcome);
    judging.keep(final);
    await this.#goOn(ready, final, outcome);
  }

  /** The outcome, and the request as it was sent. */
  async #send(ready: ReadyProbe): Promise<{ outcome: Outcome; request: Uint8Array }> {
    const { request, node } = ready;
    const { driver, options, state } = this.#parts;
    this.#tag++;
    const minted = state.mintedIn[node.id] ?? 0;
    const one = new OneRequest({ bytes: request, tag: this.#tag, minted });
    const end: DriveEnd = await driver.drive(one);
    if (end.kind === 'died') {
      const outcome = await endingOf(driver);
      return one.sent === undefined ? { outcome: neverSent, request } : { outcome, request: one.sent };
    }
    if (one.outcome !== undefined) return { outcome: one.outcome, request: one.sent ?? request };
    return { outcome: await silenceOf(driver, options.replyTimeoutMs), request };
  }

  /** Looks at what else the request did, as far as it can have done anything. */
  async #follow({ kind, node }: ReadyProbe, one: Case, outcome: Outcome): Promise<Judgement> {
    const isReply = outcome.kind === 'reply';
    const isGoodReply = isReply && isGood(outcome.bytes);
    if (!isReply && outcome.kind !== 'swallowed') return one.judgement;
    if (kind.does === 'changes')
      return this.#witness.changed(one, { meant: [node.id], named: [] }, isGoodReply);
    if (!isGoodReply && isReply) return one.judgement;
    if (kind.does === 'releases') return this.#witness.released(one);
    return one.judgement.followUps.includes('identify') ? this.#identify(one.judgement, node) : one.judgement;
  }

  /** The reply did not tell whose it was: the attributes behind the same stale nodeid do. */
  async #identify(judgement: Judgement, node: PlanSymbol): Promise<Judgement> {
    const { state, driver, judging } = this.#parts;
    const getattr = probeKinds.find(({ op }) => op === 'GETATTR');
    if (getattr === undefined) return judgement;
    const ids = { bindings: state.bindings, negotiated: driver.kernel.negotiated };
    const ready = makeProbe(getattr, { symbol: node, node }, ids);
    const reply = await driver.ask(ready.request);
    if (!(reply instanceof Uint8Array)) {
      // That is what GETATTR did, and a judgement of its own.
      if (reply.kind === 'died')
        judging.keep(judging.judge(judging.ofProbe(ready, ready.request), await endingOf(driver)));
      return judgement;
    }
    const found = judging.judge(judging.ofProbe(ready, ready.request), { kind: 'reply', bytes: reply });
    if (found.verdict !== 'recovered' && found.verdict !== 'wrong-object') return judgement;
    const { op, idKind } = judgement;
    const signature = `${found.verdict} ${op} ${idKind}`;
    return completed(judgement, { ...found, op, idKind, signature });
  }

  /** The next probe meets a server that lives, a store that is whole, and ids that are not spoilt. */
  async #goOn({ kind }: ReadyProbe, { verdict }: Judgement, outcome: Outcome): Promise<void> {
    const { driver, state } = this.#parts;
    const at = state.plan.steps.length;
    const isGone = driver.server === undefined || outcome.kind === 'silence';
    if (isGone) await this.#incarnations.revive(at);
    if (this.#incarnations.isHopeless || outcome.kind === 'withheld' || kind.does === 'reads') return;
    if (kind.does === 'changes' || (!isGone && (isUnsafe(verdict) || this.#witness.isBlind)))
      await this.#incarnations.renew(at);
  }
}

/** The server was gone before its turn came: whatever ended it was something else. */
const neverSent = { kind: 'withheld', by: 'the end of the server before it' } as const;

/** The kernel looked the path up before it used the node: the stale id was not sent. */
const foundAnew = { kind: 'withheld', by: 'a fresh lookup of the path' } as const;

const isGood = (reply: Uint8Array): boolean =>
  reply[4] === 0 && reply[5] === 0 && reply[6] === 0 && reply[7] === 0;

/** Uses stale ids on purpose: one probe at a time against the new incarnation, with a look at what else it did. */

import type { Command } from '../kernel/conversation.js';
import type { Outcome } from '../oracle/probe.js';
import { isUnsafe, type Judgement } from '../oracle/verdict.js';
import type { PlanSymbol } from '../plan/plan.js';
import type { DriveEnd, RequestSource } from './driver.js';
import type { IncarnationParts, Incarnations } from './incarnations.js';
import type { LiveObject } from './inspector.js';
import { fits, makeProbe, type ProbeKind, probeKinds, type ReadyProbe } from './probes.js';

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
  #tag = FIRST_TAG;

  constructor(parts: IncarnationParts, incarnations: Incarnations) {
    this.#parts = parts;
    this.#incarnations = incarnations;
  }

  /** Tries every kind of probe on every chosen id, until the server dies too often. */
  async run(): Promise<void> {
    const { options, state, store } = this.#parts;
    const changes = options.probes === 'write' && store.isDisposable;
    for (const kind of probeKinds) {
      if (kind.does === 'changes' && !changes) continue;
      for (const symbol of this.#chosen(kind)) {
        if (this.#incarnations.isHopeless) return;
        if (state.mintedIn[symbol.id] === state.incarnation) continue;
        await this.#probe(kind, symbol);
      }
    }
  }

  /** Stale symbols that a kind of probe is for: spread over the plan when there are more than the limit. */
  #chosen(kind: ProbeKind): PlanSymbol[] {
    const { plan } = this.#parts.state;
    const fitting = [...plan.symbols].filter((symbol) => {
      const node = this.#nodeOf(symbol);
      return symbol.origin === 'step' && node !== undefined && fits(kind, symbol, node);
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
    const before = kind.does === 'reads' ? [] : await this.#incarnations.survey();
    if (driver.server === undefined) return this.#incarnations.revive(state.plan.steps.length);
    const ready = makeProbe(
      kind,
      { symbol, node },
      { bindings: state.bindings, negotiated: driver.kernel.negotiated },
    );
    const { outcome, request } = await this.#send(ready);
    const probe = judging.ofProbe(ready, request);
    if (probe.stale.length === 0)
      return judging.keep(judging.judge(judging.ofProbe(ready, ready.request), foundAnew));
    const judgement = judging.judge(probe, outcome);
    const final = await this.#follow(ready, judgement, { outcome, before });
    judging.keep(final);
    await this.#goOn(ready, final, outcome);
  }

  /** The outcome, and the request as it was sent. */
  async #send(ready: ReadyProbe): Promise<{ outcome: Outcome; request: Uint8Array }> {
    const { request, node } = ready;
    const { driver, options, state } = this.#parts;
    this.#tag++;
    const one = new OneRequest({ bytes: request, tag: this.#tag, minted: state.mintedIn[node.id] ?? 0 });
    const end: DriveEnd = await driver.drive(one);
    if (end.kind === 'died') return { outcome: await this.#incarnations.ending(), request };
    if (one.outcome !== undefined) return { outcome: one.outcome, request: one.sent ?? request };
    const later = (await this.#incarnations.isAlive())
      ? { answered: 1, unanswered: 0 }
      : { answered: 0, unanswered: 1 };
    return { outcome: { kind: 'silence', waitedMs: options.replyTimeoutMs, later }, request };
  }

  async #follow(
    { kind, node }: ReadyProbe,
    judgement: Judgement,
    { outcome, before }: { outcome: Outcome; before: readonly LiveObject[] },
  ): Promise<Judgement> {
    const acted = outcome.kind === 'swallowed' || (outcome.kind === 'reply' && isGood(outcome.bytes));
    if (!acted) return judgement;
    if (judgement.followUps.includes('identify')) return this.#identify(judgement, node);
    if (kind.does === 'reads') return judgement;
    if (kind.does === 'releases') return this.#incarnations.broken(judgement, before);
    return this.#effects(judgement, { path: node.path, before });
  }

  /** The reply did not tell whose it was: the attributes behind the same stale nodeid do. */
  async #identify(judgement: Judgement, node: PlanSymbol): Promise<Judgement> {
    const { state, driver, judging } = this.#parts;
    const getattr = probeKinds.find(({ op }) => op === 'GETATTR');
    if (getattr === undefined) return judgement;
    const ids = { bindings: state.bindings, negotiated: driver.kernel.negotiated };
    const ready = makeProbe(getattr, { symbol: node, node }, ids);
    const reply = await driver.ask(ready.request);
    if (!(reply instanceof Uint8Array)) return judgement;
    const { verdict, evidence } = judging.judge(judging.ofProbe(ready, ready.request), {
      kind: 'reply',
      bytes: reply,
    });
    if (verdict !== 'recovered' && verdict !== 'wrong-object') return judgement;
    const { op, idKind } = judgement;
    return {
      ...judgement,
      verdict,
      signature: `${verdict} ${op} ${idKind}`,
      evidence: [...judgement.evidence, ...evidence],
      followUps: [],
    };
  }

  /** Reads all objects again: the meant one has to show the change, the others must not. */
  async #effects(
    judgement: Judgement,
    { path, before }: { path: string | undefined; before: readonly LiveObject[] },
  ): Promise<Judgement> {
    const { judging } = this.#parts;
    const changed = await this.#incarnations.check(before);
    const others = changed.filter((change) => change.path !== path);
    if (others.length > 0)
      return judging.worse(
        judgement,
        'wrong-object',
        others.map(({ text }) => `changed another object: ${text}`),
      );
    if (changed.length > 0)
      return {
        ...judgement,
        verdict: 'recovered',
        evidence: [...judgement.evidence, ...changed.map(({ text }) => text)],
      };
    const meant = before.find((object) => object.path === path);
    if (meant === undefined || meant.size === 0n) return judgement;
    return judging.worse(judgement, 'lost', [`acknowledged, and ${meant.path} is as it was`]);
  }

  /** The next probe meets a server that lives and a store that is whole. */
  async #goOn({ kind }: ReadyProbe, judgement: Judgement, outcome: Outcome): Promise<void> {
    const { driver, state } = this.#parts;
    const at = state.plan.steps.length;
    const acted = outcome.kind === 'reply' && isGood(outcome.bytes);
    if (driver.server === undefined || outcome.kind === 'silence') await this.#incarnations.revive(at);
    else if (kind.does === 'changes' && acted) await this.#incarnations.renew(at);
    else if (kind.does === 'releases' && isUnsafe(judgement.verdict)) await this.#incarnations.renew(at);
  }
}

/** The kernel looked the path up before it used the node: the stale id was not sent. */
const foundAnew = { kind: 'withheld', by: 'a fresh lookup of the path' } as const;

const isGood = (reply: Uint8Array): boolean =>
  reply[4] === 0 && reply[5] === 0 && reply[6] === 0 && reply[7] === 0;

/**
 * What a recovery did with old ids: FORGETs and RELEASEs of what was let go of, and requests that were sent again. Hears the
 * recovery, then has it judged.
 */

import type { Command, Replied, Send } from '../kernel/conversation.js';
import type { Probe } from '../oracle/probe.js';
import type { Step } from '../plan/plan.js';
import type { DriveEnd } from './driver.js';
import { endingOf } from './ending.js';
import { Inspector } from './inspector.js';
import type { Sighting } from './sighting.js';
import { type Later, nothingLater, silenceOf } from './silence.js';
import type { Witness, WitnessParts } from './witness.js';

/** Who judges. */
export interface AftermathParts extends WitnessParts {
  readonly witness: Witness;
}

/** The aftermath of one restart. */
export class Aftermath {
  readonly #parts: AftermathParts;
  readonly #sent: Send[] = [];
  readonly #replied: Replied[] = [];

  constructor(parts: AftermathParts) {
    this.#parts = parts;
  }

  /** Takes a command of the kernel while the strategy works. */
  hear(command: Command): void {
    if (command.kind === 'send') this.#sent.push(command);
    else if (command.kind === 'replied') this.#replied.push(command);
  }

  /** Judges what came of it. `lost`: what objects were like before a request whose reply was lost. */
  async judge(end: DriveEnd, lost: readonly Sighting[]): Promise<void> {
    for (const replied of this.#replied) await this.#judgeResent(replied, lost);
    if (end.kind === 'died') await this.#judgeEnd();
    else if (end.kind === 'hang') await this.#judgeHang();
    else await this.#judgeReleases();
  }

  async #judgeResent(replied: Replied, lost: readonly Sighting[]): Promise<void> {
    const { judging, witness } = this.#parts;
    const step = this.#stepOf(replied.tag);
    if (step === undefined) return;
    const probe = judging.ofStep(step, replied.request);
    const { reply: bytes, refusal, errno } = replied;
    const judgement = judging.judge(probe, { kind: 'reply', bytes, refusal });
    const isTold = lost.length > 0;
    judging.keep(
      isTold
        ? await witness.resent({ probe, judgement, before: lost }, judging.subjectsOf(step), errno)
        : judgement,
    );
  }

  /**
   * The server ended: by what was sent again and not answered, else by the last message. Sent again once more it would kill the
   * next one, so that the first is blamed.
   */
  async #judgeEnd(): Promise<void> {
    const { judging, driver } = this.#parts;
    const outcome = await endingOf(driver);
    const blamed = this.#blamed();
    for (const [index, { probe }] of blamed.entries()) {
      const among = blamed.length > 1 ? { inFlight: blamed.length, isFirst: index === 0 } : undefined;
      judging.keep(judging.judge(probe, { ...outcome, among }));
    }
  }

  async #judgeHang(): Promise<void> {
    const { judging, driver, options } = this.#parts;
    for (const { probe, later } of this.#blamed()) {
      const outcome = await silenceOf(driver, options.replyTimeoutMs, later);
      judging.keep(judging.judge(probe, outcome));
    }
  }

  /** Requests that were sent again and not answered, in the order of sending; without any, the last message. */
  #blamed(): { readonly probe: Probe; readonly later: Later }[] {
    const { judging } = this.#parts;
    const answered = new Set(this.#replied.map(({ unique }) => unique));
    const again = this.#sent.filter(({ cause }) => cause === 'resend');
    const open = again.flatMap(({ tag, unique, bytes }, index) => {
      const step = answered.has(unique) ? undefined : this.#stepOf(tag);
      if (step === undefined) return [];
      const rest = again.slice(index + 1);
      const done = rest.filter((one) => answered.has(one.unique)).length;
      const later = { answered: done, unanswered: rest.length - done };
      return [{ probe: judging.ofStep(step, bytes), later }];
    });
    const last = this.#sent.at(-1);
    return open.length > 0 || last === undefined
      ? open
      : [{ probe: judging.ofMessage(last.bytes), later: nothingLater }];
  }

  /** One judgement for all ids that were given back: which of them did harm cannot be told apart. */
  async #judgeReleases(): Promise<void> {
    const { judging, witness, driver } = this.#parts;
    const released = this.#sent.find(({ cause }) => cause === 'forget' || cause === 'release');
    if (released === undefined) return;
    const probe = judging.ofMessage(released.bytes);
    const judgement = judging.judge(probe, { kind: 'swallowed' });
    if (!witness.isBlind)
      return judging.keep(await witness.released({ probe, judgement, before: witness.before() }));
    // Nothing may be looked up now, so that only a server which is gone tells anything.
    const isAlive = await new Inspector(driver).isAlive();
    return judging.keep(isAlive ? judgement : judging.judge(probe, await endingOf(driver)));
  }

  #stepOf(tag: number | undefined): Step | undefined {
    return tag === undefined ? undefined : this.#parts.state.plan.steps.at(tag);
  }
}

/** A plan from lines of text, with errors that say which line, what was expected there and what stands there. */

import { encodeNotification } from '../../protocol/encode.js';
import { OUT_HEADER_SIZE } from '../../protocol/header.js';
import { newestNegotiated } from '../../protocol/negotiated.js';
import { notificationNamed } from '../../protocol/notifications.js';
import { countEarlier, countUnanswered } from '../notes.js';
import type { Notice, Plan, Resend } from '../plan.js';
import { Facts } from './facts.js';
import { parseFields } from './fields.js';
import { Line } from './line.js';
import type { LoadPayload } from './payload.js';
import { parseRaw } from './raw-frame.js';
import { buildReply, parseReply } from './reply-text.js';
import { buildRequest, type FrameReading, parseRequest } from './request-text.js';
import { parseSession } from './session-text.js';
import { StepList } from './step-list.js';
import { SymbolList } from './symbol-list.js';
import { TITLE } from './write.js';

/** Where a text comes from. */
export interface ReadOptions {
  /** Named in errors, such as the file. */
  readonly name: string;
  /** Contents that stand elsewhere; by default there are none. */
  readonly load?: LoadPayload;
}

/**
 * Reads what `writePlan` wrote or somebody edited; empty lines and those that begin with `#` are skipped. Throws a
 * RelightError at the first line that makes no sense.
 */
export const readPlan = (lines: Iterable<string>, { name, load = () => undefined }: ReadOptions): Plan => {
  const reader = new Reader(load);
  let number = 0;
  for (const text of lines) {
    number++;
    const line = new Line(text, `${name}:${number}`);
    if (number === 1) readTitle(text, line);
    else if (!line.isAtEnd && !text.trimStart().startsWith('#')) reader.read(line);
  }
  if (number === 0) readTitle('', new Line('', `${name}:1`));
  return reader.finish();
};

const readTitle = (text: string, line: Line): void => {
  if (text.trimEnd() !== TITLE) line.fail(`the title "${TITLE}"`, JSON.stringify(text.slice(0, 40)));
};

type Keyword = (line: Line) => void;

class Reader {
  readonly #load: LoadPayload;
  readonly #symbols = new SymbolList();
  readonly #steps = new StepList(this.#symbols);
  readonly #notices: Notice[] = [];
  readonly #resends: (() => Resend)[] = [];
  #session = newestNegotiated;
  #init: Uint8Array | undefined;
  #initReply: Uint8Array | undefined;
  #notes = { strayReplies: 0, strayAnswers: 0, broken: 0, missing: 0 };

  readonly #keywords: ReadonlyMap<string, Keyword> = new Map<string, Keyword>([
    ['session', (line) => this.#readSession(line)],
    ['init', (line) => this.#readHandshake(line)],
    ['notes', (line) => this.#readNotes(line)],
    ['node', (line) => this.#symbols.declare('node', line)],
    ['handle', (line) => this.#symbols.declare('handle', line)],
    ['memory', (line) => this.#symbols.declareMemory(line)],
    ['notice', (line) => this.#readNotice(line)],
    ['resend', (line) => this.#readResend(line)],
  ]);

  constructor(load: LoadPayload) {
    this.#load = load;
  }

  read(line: Line): void {
    const word = line.parsed(
      () => `the number of a step, or one of ${[...this.#keywords.keys()].join(', ')}`,
      (text) => (/^\d{1,10}$/.test(text) ? Number(text) : this.#keywords.get(text)),
    );
    if (typeof word === 'number') this.#steps.read(word, line, this.#reading);
    else word(line);
    if (!line.isAtEnd) line.fail('the end of the line');
  }

  finish(): Plan {
    const symbols = this.#symbols.finish(this.#steps.indexOf);
    const steps = this.#steps.finish(this.#symbols.indexes());
    const { unbound, byPath } = countEarlier(steps, symbols);
    return {
      negotiated: this.#session,
      init: this.#init,
      initReply: this.#initReply,
      steps,
      symbols,
      notices: this.#notices,
      resends: this.#resends.map((resolve) => resolve()),
      unbound,
      notes: { ...this.#notes, byPath, unanswered: countUnanswered(steps) },
    };
  }

  get #reading(): FrameReading {
    return { session: this.#session, load: this.#load };
  }

  #readSession(line: Line): void {
    if (this.#steps.length > 0) line.fail('the session before the first step', 'it after one');
    this.#session = parseSession(line);
  }

  #readHandshake(line: Line): void {
    const reading = { ...this.#reading, session: newestNegotiated };
    const draft = parseRequest(line, reading);
    const facts = new Facts(line, ['unique', 'uid', 'gid', 'pid']);
    const [uid, gid, pid] = [facts.number('uid'), facts.number('gid'), facts.number('pid')];
    const unique = facts.big('unique');
    this.#init = buildRequest(draft, { unique, uid, gid, pid }, line, reading).bytes;
    if (!line.takeIf('=>')) return;
    const reply = parseReply(line, this.#init, reading);
    this.#initReply = buildReply(reply, { request: this.#init, unique }, line, reading).bytes;
  }

  #readNotes(line: Line): void {
    const facts = new Facts(line, Object.keys(this.#notes));
    const [strayReplies, strayAnswers] = [facts.number('strayReplies'), facts.number('strayAnswers')];
    this.#notes = {
      strayReplies,
      strayAnswers,
      broken: facts.number('broken'),
      missing: facts.number('missing'),
    };
  }

  #readNotice(line: Line): void {
    const bytes = parseRaw(line, this.#load)?.bytes ?? this.#notification(line);
    if (bytes.length < OUT_HEADER_SIZE)
      line.fail(`a notification of at least ${OUT_HEADER_SIZE} bytes`, 'fewer');
    const facts = new Facts(line, ['at', 'seq', 'incarnation']);
    const answer = line.takeIf('=>') ? parseRaw(line, this.#load)?.bytes : undefined;
    this.#notices.push({
      seq: facts.number('seq'),
      timeNs: facts.number('at'),
      incarnation: facts.number('incarnation'),
      before: this.#steps.length,
      bytes,
      answer,
    });
  }

  #notification(line: Line): Uint8Array {
    const op = line.parsed('the name of a notification', (text) => notificationNamed(text));
    const fields = parseFields(op.body, line, { marker: () => undefined, load: this.#load });
    return encodeNotification({ name: op.name, fields }, this.#session);
  }

  #readResend(line: Line): void {
    const label = line.parsed('the number of a step', (text) =>
      /^\d{1,10}$/.test(text) ? Number(text) : undefined,
    );
    const facts = new Facts(line, ['seq', 'incarnation']);
    const [seq, incarnation] = [facts.number('seq'), facts.number('incarnation')];
    this.#resends.push(() => ({ seq, incarnation, step: this.#steps.indexOf(label, line) }));
  }
}

/** The steps of a plan's text. Their numbers are names: they may have gaps, and refer to each other by them. */

import { isResent, opcodeOf, uniqueOf } from '../../protocol/header.js';
import { operationOf } from '../../protocol/operations.js';
import { putU64At } from '../../protocol/raw.js';
import type { Mint, Patch, Step } from '../plan.js';
import { Facts } from './facts.js';
import type { Identified } from './identified.js';
import type { Line } from './line.js';
import type { Reference } from './references.js';
import { buildReply, parseReply } from './reply-text.js';
import { type BuiltFrame, buildRequest, type FrameReading, parseRequest } from './request-text.js';
import type { SymbolList } from './symbol-list.js';

const requestFacts = ['at', 'seq', 'incarnation', 'unique', 'uid', 'gid', 'pid', 'kept', 'after'];
const replyFacts = ['at', 'unique', 'kept', 'until'];

type Request = Pick<
  Step,
  'template' | 'patches' | 'templateKept' | 'timeNs' | 'seq' | 'incarnation' | 'after'
>;
type Reply = Pick<Step, 'reply' | 'mints' | 'replyKept' | 'replyTimeNs'> & {
  readonly until: number | undefined;
};
type Read = Request & Reply;

const unanswered: Reply = {
  reply: undefined,
  mints: [],
  replyKept: 0,
  replyTimeNs: undefined,
  until: undefined,
};

const rising = (numbers: readonly number[]): number[] => [...new Set(numbers)].sort((a, b) => a - b);

/** Steps in the order of the text. */
export class StepList {
  readonly #symbols: SymbolList;
  readonly #steps: Read[] = [];
  readonly #indexes = new Map<number, number>();

  constructor(symbols: SymbolList) {
    this.#symbols = symbols;
  }

  get length(): number {
    return this.#steps.length;
  }

  /** Reads the rest of a step's line. */
  read(label: number, line: Line, reading: FrameReading): void {
    if (this.#indexes.has(label)) line.fail('a number that no step above has', String(label));
    const request = this.#request(line, reading);
    const reply = line.takeIf('=>') ? this.#reply(line, request.template, reading) : unanswered;
    this.#indexes.set(label, this.#steps.length);
    this.#steps.push({ ...request, ...reply });
  }

  /** Index of the step with a number. */
  readonly indexOf = (label: number, line: Line): number =>
    this.#indexes.get(label) ?? line.fail('the number of a step that there is', String(label));

  /** All steps; `symbols` gives the index of each symbol's number. */
  finish(symbols: ReadonlyMap<number, number>): Step[] {
    const labels = [...this.#indexes.keys()];
    const moved = (symbol: number): number => symbols.get(symbol) ?? symbol;
    return this.#steps.map((read, index) => {
      const { until, ...step } = read;
      return {
        ...step,
        index,
        op: operationOf(opcodeOf(step.template)),
        patches: step.patches.map((patch) =>
          patch.kind === 'symbol' ? { ...patch, symbol: moved(patch.symbol) } : patch,
        ),
        mints: step.mints.map((mint) => ({ ...mint, symbol: moved(mint.symbol) })),
        answered: step.reply !== undefined,
        answeredBefore: until === undefined ? undefined : this.#firstFrom(until, labels, index),
        resent: isResent(uniqueOf(step.template)),
      };
    });
  }

  /** Index of the first step with this number or a higher one, after `index`. */
  #firstFrom(label: number, labels: readonly number[], index: number): number {
    const exact = this.#indexes.get(label);
    if (exact !== undefined) return Math.max(exact, index + 1);
    if (label > (labels.at(-1) ?? 0)) return labels.length;
    const found = labels.findIndex((other, at) => at > index && other > label);
    return found < 0 ? labels.length : found;
  }

  #request(line: Line, reading: FrameReading): Request {
    const draft = parseRequest(line, reading);
    const facts = new Facts(line, requestFacts);
    const header = {
      unique: facts.big('unique'),
      uid: facts.number('uid'),
      gid: facts.number('gid'),
      pid: facts.number('pid'),
    };
    const built = buildRequest(draft, header, line, reading);
    return {
      template: built.bytes,
      patches: this.#filled(built, draft.kind === 'raw', line),
      templateKept: facts.optional('kept') ?? built.bytes.length,
      timeNs: facts.number('at'),
      seq: facts.number('seq'),
      incarnation: facts.number('incarnation'),
      after: rising(facts.numbers('after').map((label) => this.indexOf(label, line))),
    };
  }

  #reply(line: Line, request: Uint8Array, reading: FrameReading): Reply {
    const draft = parseReply(line, request, reading);
    const facts = new Facts(line, replyFacts);
    const unique = facts.optionalBig('unique') ?? uniqueOf(request);
    const built = buildReply(draft, { request, unique }, line, reading);
    const mints: Mint[] = this.#filled(built, draft.kind === 'raw', line).flatMap((patch) =>
      patch.kind === 'symbol' ? [{ offset: patch.offset, use: patch.use, symbol: patch.symbol }] : [],
    );
    return {
      reply: built.bytes,
      mints,
      replyKept: facts.optional('kept') ?? built.bytes.length,
      replyTimeNs: facts.number('at'),
      until: facts.optional('until') ?? 0,
    };
  }

  /** Writes the recorded numbers in place of the markers; raw bytes have theirs. */
  #filled({ bytes, ids }: BuiltFrame, isRaw: boolean, line: Line): Patch[] {
    return ids.map((id) => {
      const number = this.#numberOf(id.reference, line);
      if (!isRaw) putU64At(bytes, id.offset, number);
      return this.#patch(id, line);
    });
  }

  #patch({ offset, use, reference }: Identified, line: Line): Patch {
    const wanted = use.kind === 'unique' ? 'step' : use.kind;
    if (wanted !== reference.kind)
      line.fail(`the id of a ${wanted} for ${use.field}`, `that of a ${reference.kind}`);
    if (reference.kind !== 'step') return { kind: 'symbol', offset, use, symbol: reference.symbol };
    const step = reference.step === undefined ? undefined : this.indexOf(reference.step, line);
    return { kind: 'step', offset, use, step };
  }

  #numberOf(reference: Reference, line: Line): bigint {
    if (reference.kind !== 'step') return this.#symbols.recordedOf(reference, line);
    const target = reference.step === undefined ? undefined : this.#steps[this.indexOf(reference.step, line)];
    return target === undefined ? 0n : uniqueOf(target.template);
  }
}

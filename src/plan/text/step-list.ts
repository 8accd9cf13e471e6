/** The steps of a plan's text. Their numbers are names: they may have gaps, and refer to each other by them. */

import { UNIQUE_RESEND } from '../../protocol/flags.js';
import { isResent, opcodeOf, setUnique, uniqueOf } from '../../protocol/header.js';
import { operationOf } from '../../protocol/operations.js';
import { putU64At } from '../../protocol/raw.js';
import type { Mint, Patch, Step } from '../plan.js';
import { repeating } from '../repeat.js';
import { shifted } from '../shift.js';
import { Facts } from './facts.js';
import type { Identified } from './identified.js';
import type { Line } from './line.js';
import { MINTS, parseMints } from './mint-text.js';
import { parseReference, type Reference, referenceText } from './references.js';
import { buildReply, parseReply } from './reply-text.js';
import { type BuiltFrame, buildRequest, type FrameReading, parseRequest } from './request-text.js';
import type { SymbolList } from './symbol-list.js';

const headerFacts = ['unique', 'resent', 'uid', 'gid', 'pid'];
const requestFacts = ['at', 'seq', 'incarnation', ...headerFacts, 'kept', 'after'];
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

/** A reply mints what its field says, and nothing near it. */
const mintOf = ({ offset, use, reference }: Identified, line: Line): Mint => {
  if (reference.kind !== use.kind)
    line.fail(`the id of a ${use.kind} for ${use.field}`, `that of a ${reference.kind}`);
  if (reference.shift !== undefined) line.fail(`an id alone for ${use.field}`, referenceText(reference));
  return { offset, use, symbol: reference.symbol };
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
    const repeated = this.#repeated(facts, line);
    const header = {
      unique: repeated === undefined ? facts.big('unique') : 0n,
      uid: facts.number('uid'),
      gid: facts.number('gid'),
      pid: facts.number('pid'),
    };
    const built = buildRequest(draft, header, line, reading);
    const patches = this.#filled(built, draft.kind === 'raw', line);
    if (repeated !== undefined) {
      const resent = facts.number('resent') !== 0;
      setUnique(built.bytes, this.#uniqueOf(repeated) | (resent ? UNIQUE_RESEND : 0n));
    }
    return {
      template: built.bytes,
      patches: repeated === undefined ? patches : [...patches, repeating(repeated)],
      templateKept: facts.optional('kept') ?? built.bytes.length,
      timeNs: facts.number('at'),
      seq: facts.number('seq'),
      incarnation: facts.number('incarnation'),
      after: rising(facts.numbers('after').map((label) => this.indexOf(label, line))),
    };
  }

  /** Index of the step whose unique a step has, `unique=@N`; `undefined` when it has its own. */
  #repeated(facts: Facts, line: Line): number | undefined {
    const reference = parseReference(facts.text('unique') ?? '');
    if (reference === undefined) return undefined;
    if (reference.kind !== 'step' || reference.step === undefined)
      return line.fail('a number or a step, such as @7, for unique', facts.text('unique'));
    return this.indexOf(reference.step, line);
  }

  #uniqueOf(step: number): bigint {
    const target = this.#steps[step];
    return target === undefined ? 0n : uniqueOf(target.template) & ~UNIQUE_RESEND;
  }

  #reply(line: Line, request: Uint8Array, reading: FrameReading): Reply {
    if (line.atomIf((text) => text === MINTS) !== undefined) {
      const op = operationOf(opcodeOf(request));
      return { ...unanswered, mints: parseMints(op, line, (one) => this.#symbols.recordedOf(one, line)) };
    }
    const draft = parseReply(line, request, reading);
    const facts = new Facts(line, replyFacts);
    const unique = facts.optionalBig('unique') ?? uniqueOf(request);
    const built = buildReply(draft, { request, unique }, line, reading);
    this.#filled(built, draft.kind === 'raw', line);
    const mints = built.ids.map((id) => mintOf(id, line));
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
    if (reference.kind !== 'step') {
      const { symbol, shift } = reference;
      return { kind: 'symbol', offset, use, symbol, ...(shift === undefined ? {} : { shift }) };
    }
    if (use.kind !== 'unique') line.fail(`the id of a ${use.kind} for ${use.field}`, 'that of a step');
    const step = reference.step === undefined ? undefined : this.indexOf(reference.step, line);
    return { kind: 'step', offset, use, step };
  }

  #numberOf(reference: Reference, line: Line): bigint {
    if (reference.kind !== 'step') {
      const recorded = this.#symbols.recordedOf(reference, line);
      return reference.shift === undefined ? recorded : shifted(recorded, reference.shift);
    }
    return reference.step === undefined ? 0n : this.#uniqueOf(this.indexOf(reference.step, line));
  }
}

/** Whether a decoded frame is what a filter claims, and whether a block can hold such a frame at all. */

import type { Value } from '../protocol/layout.js';
import { notifications } from '../protocol/notifications.js';
import { operationNamed } from '../protocol/operations.js';
import { type BlockInfo, seqAfter } from './block-head.js';
import type { DecodedFrame } from './decoded-frames.js';
import type { Claim, Comparison, Filter, FilterValue } from './filter.js';
import { fieldValues } from './filter-fields.js';
import { OP_NOTIFY, OP_UNPAIRED } from './format.js';

type Present = Exclude<Value, undefined>;

const ordered = (order: number, by: Comparison): boolean => {
  if (by === '==' || by === '!=') return order === 0;
  if (by === '<') return order < 0;
  if (by === '<=') return order <= 0;
  return by === '>' ? order > 0 : order >= 0;
};

const compareNumbers = (value: bigint, by: Comparison, wanted: bigint): boolean => {
  if (by === '&') return (value & wanted) !== 0n;
  return ordered(value === wanted ? 0 : value < wanted ? -1 : 1, by);
};

const textOf = (value: Present): string | undefined => {
  if (typeof value === 'string') return value;
  return value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : undefined;
};

/** Whether one value is as claimed; `!=` and `!~` answer for `==` and `=~`. */
const isAs = (value: Present, by: Comparison, wanted: FilterValue): boolean => {
  if (wanted.kind === 'pattern') return wanted.pattern.test(textOf(value) ?? String(value));
  if (typeof value === 'number' || typeof value === 'bigint')
    return wanted.kind === 'number' && compareNumbers(BigInt(value), by, wanted.value);
  if (value instanceof Uint8Array)
    return (by === '==' || by === '!=') && Buffer.from(wanted.text).equals(value);
  if (typeof value !== 'string' || by === '&') return false;
  return ordered(value === wanted.text ? 0 : value < wanted.text ? -1 : 1, by);
};

const isSomething = (value: Present): boolean =>
  value instanceof Uint8Array ? value.length > 0 : value !== 0 && value !== 0n && value !== '';

const holdsClaim = (claim: Claim, frame: DecodedFrame, startTimeNs: bigint): boolean | undefined => {
  const { values, isPending } = fieldValues(frame, claim.field, startTimeNs);
  if (values.length === 0) return isPending ? undefined : false;
  if (claim.kind === 'has') return values.some(isSomething);
  const { by, value } = claim;
  const isAny = values.some((one) => isAs(one, by, value));
  return by === '!=' || by === '!~' ? !isAny : isAny;
};

/** How to read a filter. */
export interface EvaluateOptions {
  /** Start of the recording, from which `time` counts. */
  readonly startTimeNs: bigint;
  /** True when a request stands for its exchange, so that a claim about length or time may be met by the reply. */
  readonly isOpen?: boolean;
}

/** Fields in which a request and its reply differ. */
const ofEachFrame: ReadonlySet<string> = new Set([
  'length',
  'direction',
  'kind',
  'time',
  'timeNs',
  'seq',
  'cut',
]);

const holdsOpen = (claim: Claim, frame: DecodedFrame, startTimeNs: bigint): boolean | undefined => {
  const holds = holdsClaim(claim, frame, startTimeNs);
  const isUndecided = frame.kind === 'request' && ofEachFrame.has(claim.field);
  return holds !== true && isUndecided ? undefined : holds;
};

/** True or false as the filter claims of the frame; `undefined` when it depends on the reply that is still to come. */
export const evaluate = (
  filter: Filter,
  frame: DecodedFrame,
  options: EvaluateOptions,
): boolean | undefined => {
  if (filter.kind === 'not') {
    const inner = evaluate(filter.inner, frame, options);
    return inner === undefined ? undefined : !inner;
  }
  if (filter.kind === 'has' || filter.kind === 'compare')
    return (options.isOpen === true ? holdsOpen : holdsClaim)(filter, frame, options.startTimeNs);
  const deciding = filter.kind === 'or';
  const left = evaluate(filter.left, frame, options);
  if (left === deciding) return deciding;
  const right = evaluate(filter.right, frame, options);
  return right === deciding || left !== undefined ? right : undefined;
};

/** Whether the frame is as the filter claims. */
export const matches = (filter: Filter, frame: DecodedFrame, startTimeNs = 0n): boolean =>
  evaluate(filter, frame, { startTimeNs }) === true;

const opNumber = (name: string): number | undefined => {
  const operation = operationNamed(name);
  if (operation !== undefined) return operation.opcode;
  const notification = notifications.find((one) => `NOTIFY_${one.name}` === name);
  if (notification !== undefined) return OP_NOTIFY + notification.code;
  const number = Number(/^OP_(\d+)$/.exec(name)?.[1] ?? Number.NaN);
  return Number.isNaN(number) || number >= OP_UNPAIRED ? undefined : number;
};

/** Whether some number from `low` to `high`, both included, compares so. */
const mayCompare = (low: bigint, high: bigint, { by, value }: Claim & { kind: 'compare' }): boolean => {
  if (value.kind !== 'number') return true;
  if (by === '==') return low <= value.value && value.value <= high;
  if (by === '<') return low < value.value;
  if (by === '<=') return low <= value.value;
  if (by === '>') return high > value.value;
  return by === '>=' ? high >= value.value : true;
};

/** Whether a block knows the request of each of its replies; otherwise its summary says less than its frames. */
const isPaired = (block: BlockInfo): boolean => block.ops.every(({ op }) => op !== OP_UNPAIRED);

const mayHoldOp = (name: string, block: BlockInfo): boolean => {
  const number = opNumber(name);
  return number === undefined || !isPaired(block) || block.ops.some(({ op }) => op === number);
};

const hasErrors = (block: BlockInfo): boolean => block.ops.some(({ errors }) => errors > 0);

const mayHoldClaim = (claim: Claim, block: BlockInfo, startTimeNs: bigint): boolean => {
  if (claim.kind === 'has') return claim.field !== 'error' || hasErrors(block);
  const { field, by, value } = claim;
  if (field === 'op') return by !== '==' || value.kind !== 'text' || mayHoldOp(value.text, block);
  if (field === 'nodeid' && by === '==' && value.kind === 'number')
    return !isPaired(block) || block.mayMention(value.value);
  if (field === 'error') return hasErrors(block) || isAs(0, by, value) === (by !== '!=' && by !== '!~');
  if (field === 'seq') return mayCompare(BigInt(block.firstSeq), BigInt(seqAfter(block) - 1), claim);
  if (field === 'incarnation') return mayCompare(BigInt(block.incarnation), BigInt(block.incarnation), claim);
  if (field === 'timeNs') return mayCompare(block.earliestTimeNs, block.latestTimeNs, claim);
  if (field !== 'time') return true;
  return mayCompare(block.earliestTimeNs - startTimeNs, block.latestTimeNs - startTimeNs, claim);
};

/** False when no frame of the block can match: its head is enough to say so, and the block need not be read. */
export const mayHold = (filter: Filter, block: BlockInfo, startTimeNs = 0n): boolean => {
  switch (filter.kind) {
    case 'and':
      return mayHold(filter.left, block, startTimeNs) && mayHold(filter.right, block, startTimeNs);
    case 'or':
      return mayHold(filter.left, block, startTimeNs) || mayHold(filter.right, block, startTimeNs);
    case 'not':
      return true;
    default:
      return mayHoldClaim(filter, block, startTimeNs);
  }
};

/** Frames out of the body of a block. Every number is checked before it is used: the file may be hostile. */

import type { BlockInfo } from './block-head.js';
import { decompress } from './compression.js';
import { MAX_WIRE_BYTES } from './format.js';
import type { Frame } from './frame.js';
import { readVarint } from './record.js';

const HEAD_FIELD = 1;
const STORED_FIELD = 2;
const fieldNumbers = { deltas: 1, lengths: 2, cuts: 3, gaps: 4, data: 5 } as const;
const LENGTH_DELIMITED = 2;

interface Field {
  readonly number: number;
  readonly bytes: Uint8Array;
}

/** Length-delimited fields of a message in order; `undefined` at the end of the list when the message is malformed. */
function* fieldsOf(message: Uint8Array): Generator<Field | undefined> {
  for (let at = 0; at < message.length; ) {
    const tag = readVarint(message, at);
    const length = tag && (tag.value & 7) === LENGTH_DELIMITED ? readVarint(message, tag.next) : undefined;
    if (tag === undefined || length === undefined || length.next + length.value > message.length) {
      yield undefined;
      return;
    }
    at = length.next + length.value;
    yield { number: tag.value >>> 3, bytes: message.subarray(length.next, at) };
  }
}

/** The head and the stored bytes of a Block message; `undefined` when it is none. */
export const splitBlock = (body: Uint8Array): { head: Uint8Array; stored: Uint8Array } | undefined => {
  const parts = new Map<number, Uint8Array>();
  for (const field of fieldsOf(body)) {
    if (field === undefined) return undefined;
    parts.set(field.number, field.bytes);
  }
  const none = new Uint8Array(0);
  return { head: parts.get(HEAD_FIELD) ?? none, stored: parts.get(STORED_FIELD) ?? none };
};

/** Reads whole numbers of a packed column one after the other; -1 at its end, or when a number is malformed or beyond 2^53. */
class Column {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  next(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 56; scale *= 128) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) return -1;
      value += (byte & 127) * scale;
      if (byte < 128) return Number.isSafeInteger(value) ? value : -1;
    }
    return -1;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }
}

interface Cut {
  readonly frame: number;
  readonly wireLength: number;
  readonly digest: Uint8Array | undefined;
}

interface Gap {
  readonly frame: number;
  readonly lost: number;
}

const DIGEST_FIELD = 3;

interface Pair {
  first: number;
  second: number;
  bytes?: Uint8Array;
}

/** Small messages of two numbers and perhaps bytes, which Cut and Gap are. */
const readPair = (message: Uint8Array): Pair | undefined => {
  const found: Pair = { first: 0, second: 0 };
  for (let at = 0; at < message.length; ) {
    const tag = readVarint(message, at);
    const value = tag && readVarint(message, tag.next);
    if (tag === undefined || value === undefined) return undefined;
    at = value.next;
    const number = tag.value >>> 3;
    if ((tag.value & 7) === LENGTH_DELIMITED) {
      if (at + value.value > message.length) return undefined;
      if (number === DIGEST_FIELD) found.bytes = message.subarray(at, at + value.value);
      at += value.value;
    } else if ((tag.value & 7) !== 0) return undefined;
    else if (number === 1) found.first = value.value;
    else if (number === 2) found.second = value.value;
  }
  return found;
};

interface Columns {
  deltas: Uint8Array;
  lengths: Uint8Array;
  data: Uint8Array;
  readonly cuts: Cut[];
  readonly gaps: Gap[];
}

const columnsOf = (raw: Uint8Array): Columns | undefined => {
  const none = new Uint8Array(0);
  const columns: Columns = { deltas: none, lengths: none, data: none, cuts: [], gaps: [] };
  for (const field of fieldsOf(raw)) {
    if (field === undefined || !addField(columns, field)) return undefined;
  }
  return columns;
};

const addField = (columns: Columns, { number, bytes }: Field): boolean => {
  if (number === fieldNumbers.deltas) columns.deltas = bytes;
  else if (number === fieldNumbers.lengths) columns.lengths = bytes;
  else if (number === fieldNumbers.data) columns.data = bytes;
  else if (number === fieldNumbers.cuts || number === fieldNumbers.gaps) {
    const pair = readPair(bytes);
    if (pair === undefined) return false;
    if (number === fieldNumbers.gaps) columns.gaps.push({ frame: pair.first, lost: pair.second });
    else columns.cuts.push({ frame: pair.first, wireLength: pair.second, digest: pair.bytes });
  }
  return true;
};

/** Frames of a block whose stored bytes passed the checksum; `undefined` when they do not make sense all the same. */
export const readFrames = (block: BlockInfo, stored: Uint8Array): Frame[] | undefined => {
  const raw = decompress(block.codec, stored, block.rawLength);
  const columns = raw && columnsOf(raw);
  return columns && assemble(block, columns);
};

const assemble = (block: BlockInfo, columns: Columns): Frame[] | undefined => {
  const { data, cuts, gaps } = columns;
  const deltas = new Column(columns.deltas);
  const lengths = new Column(columns.lengths);
  const frames: Frame[] = [];
  let [seq, timeNs, at, cutAt, gapAt] = [block.firstSeq, block.firstTimeNs, 0, 0, 0];
  for (let i = 0; i < block.count; i++) {
    const delta = deltas.next();
    const sized = lengths.next();
    const stored = Math.floor(sized / 2);
    if (delta < 0 || sized < 0 || at + stored > data.length) return undefined;
    for (let gap = gaps[gapAt]; gap?.frame === i; gap = gaps[++gapAt]) seq += gap.lost;
    timeNs += BigInt(delta % 2 === 0 ? delta / 2 : -(delta + 1) / 2);
    const cut = cuts[cutAt]?.frame === i ? cuts[cutAt++] : undefined;
    if (cut !== undefined && (cut.wireLength < stored || cut.wireLength > MAX_WIRE_BYTES)) return undefined;
    frames.push({
      seq: seq++,
      timeNs,
      direction: sized % 2 === 0 ? 'toServer' : 'toKernel',
      incarnation: block.incarnation,
      bytes: data.subarray(at, at + stored),
      length: cut?.wireLength ?? stored,
      ...(cut?.digest === undefined ? {} : { digest: cut.digest }),
    });
    at += stored;
  }
  return at === data.length && deltas.isAtEnd && lengths.isAtEnd ? frames : undefined;
};

/** Walks a trace record by record without its index, over damage too: what is intact is found, what is not is named. */

import { MAX_RECORD } from './format.js';
import { MARK_BYTES, MAX_LENGTH_BYTES, type OpenRecord, openRecord, readLead } from './record.js';
import type { TraceFile } from './trace-file.js';

/** Bytes of a file that hold no intact record. */
export interface Damage {
  readonly offset: number;
  readonly bytes: number;
  /** A phrase for people, such as `checksum is wrong`. */
  readonly reason: string;
  /** Frames lost with it, when the blocks around it or its own head tell. */
  readonly frames?: number;
}

/** An intact record. */
export interface FoundRecord extends OpenRecord {
  /** Where it begins, at its length. */
  readonly offset: number;
  /** All its bytes. */
  readonly length: number;
}

/** Next finding of a walk. */
export type Finding =
  | { readonly record: FoundRecord }
  | { readonly damage: Damage; readonly torn: Uint8Array };

const LEAD_BYTES = MAX_LENGTH_BYTES + MARK_BYTES;
const STEP = 1 << 18;
/** Each byte of a file is summed up at most so many times while looking for the next record after damage. */
const EFFORT = 4;

/** The record at `offset`; `undefined` when there is none, or it is damaged or cut. */
export const recordAt = (file: TraceFile, offset: number, sync: Uint8Array): FoundRecord | undefined => {
  const lead = readLead(file.read(offset, LEAD_BYTES), 0, sync);
  if (lead === undefined || offset + lead.end > file.size) return undefined;
  const opened = openRecord(file.read(offset + lead.message, lead.end - lead.message));
  return opened && { ...opened, offset, length: lead.end };
};

/** Walks from `from` to the end of the file. */
export function* scanRecords(file: TraceFile, from: number, sync: Uint8Array): Generator<Finding> {
  const effort = { left: file.size * EFFORT + MAX_RECORD };
  for (let offset = from; offset < file.size; ) {
    const record = recordAt(file, offset, sync);
    if (record !== undefined) {
      yield { record };
      offset += record.length;
      continue;
    }
    const next = nextRecord(file, offset, sync, effort);
    yield damageAt(file, offset, next, sync);
    offset = next;
  }
}

const damageAt = (file: TraceFile, offset: number, next: number, sync: Uint8Array): Finding => {
  const lead = readLead(file.read(offset, LEAD_BYTES), 0, sync);
  const isCut = next === file.size && (lead === undefined || offset + lead.end > file.size);
  const reason = isCut ? 'the file ends inside a record' : 'checksum is wrong';
  const torn = lead === undefined ? new Uint8Array(0) : file.read(offset + lead.message, 1 << 16);
  return { damage: { offset, bytes: next - offset, reason }, torn };
};

/** Offset of the next intact record after the damaged one at `offset`; the end of the file when there is none. */
const nextRecord = (file: TraceFile, offset: number, sync: Uint8Array, effort: { left: number }): number => {
  const lead = readLead(file.read(offset, LEAD_BYTES), 0, sync);
  const expected = lead === undefined ? file.size : offset + lead.end;
  if (expected < file.size && isRecord(file, expected, sync, effort)) return expected;
  for (const mark of findMarks(file, offset + 1, sync)) {
    for (let back = 1; back <= MAX_LENGTH_BYTES; back++) {
      const candidate = mark - back;
      if (candidate <= offset) continue;
      if (isRecord(file, candidate, sync, effort)) return candidate;
      if (effort.left < 0) return file.size;
    }
  }
  return file.size;
};

const isRecord = (file: TraceFile, offset: number, sync: Uint8Array, effort: { left: number }): boolean => {
  const lead = readLead(file.read(offset, LEAD_BYTES), 0, sync);
  if (lead === undefined || offset + lead.end > file.size) return false;
  effort.left -= lead.end;
  return recordAt(file, offset, sync) !== undefined;
};

/** Offsets at which the file's sync mark stands. */
function* findMarks(file: TraceFile, from: number, sync: Uint8Array): Generator<number> {
  for (let at = from; at < file.size; at += STEP) {
    const piece = Buffer.from(file.read(at, STEP + sync.length));
    for (let found = piece.indexOf(sync); found >= 0 && found < STEP; found = piece.indexOf(sync, found + 1))
      yield at + found - 1;
  }
}

/** The frame of one record: length, sync mark, checksum, kind. Knows nothing of what the kinds hold. */

import { crc32 } from 'node:zlib';
import { ByteColumn } from './byte-column.js';
import { MAX_RECORD } from './format.js';

/** Bytes of the sync mark with its tag. */
const SYNC_FIELD = 9;
/** Bytes of the checksum with its tag. */
const CRC_FIELD = 5;
const SYNC_TAG = 0x09;
const CRC_TAG = 0x15;
/** Bytes of the length before a record, at most. */
export const MAX_LENGTH_BYTES = 4;
/** Bytes of sync mark and checksum, which come first in every record. */
export const MARK_BYTES = SYNC_FIELD + CRC_FIELD;

/** Total bytes of some chunks. */
export const bytesOf = (chunks: readonly Uint8Array[]): number =>
  chunks.reduce((sum, chunk) => sum + chunk.length, 0);

/**
 * A whole record as chunks to be written one after the other; the body's chunks are passed through, not copied.
 * `sync` is the 8-byte mark of the file.
 */
export const sealRecord = (sync: Uint8Array, kind: number, body: readonly Uint8Array[]): Uint8Array[] => {
  const bodyLength = bytesOf(body);
  const field = new ByteColumn(8);
  field.lengthField((kind << 3) | 2, bodyLength);
  const checksum = [field.written, ...body].reduce((crc, chunk) => crc32(chunk, crc), crc32(sync));
  const lead = new ByteColumn(32);
  lead.varint(MARK_BYTES + field.length + bodyLength);
  lead.byte(SYNC_TAG);
  lead.bytes(sync);
  lead.byte(CRC_TAG);
  lead.fixed32(checksum);
  lead.bytes(field.written);
  return [lead.written, ...body];
};

/** A varint up to 2^35 in bytes that may end anywhere: value and the offset after it; `undefined` when it is none. */
export const readVarint = (bytes: Uint8Array, at: number): { value: number; next: number } | undefined => {
  let value = 0;
  for (let i = 0, scale = 1; i < 5; i++, scale *= 128) {
    const byte = bytes[at + i];
    if (byte === undefined) return undefined;
    value += (byte & 127) * scale;
    if (byte < 128) return { value, next: at + i + 1 };
  }
  return undefined;
};

/** Where a record says it ends, not yet checked; offsets are in the bytes given to `readLead`. */
export interface RecordLead {
  /** First byte of the message, after its length. */
  readonly message: number;
  /** One past the last byte. */
  readonly end: number;
}

/**
 * Length and sync mark of a record at `at`; needs `MAX_LENGTH_BYTES + MARK_BYTES` bytes there.
 * `undefined` when no record of the file with this mark begins there.
 */
export const readLead = (bytes: Uint8Array, at: number, sync: Uint8Array): RecordLead | undefined => {
  const length = readVarint(bytes, at);
  if (length === undefined || length.next > at + MAX_LENGTH_BYTES) return undefined;
  const message = length.next;
  if (length.value <= MARK_BYTES || length.value > MAX_RECORD) return undefined;
  if (bytes[message] !== SYNC_TAG || bytes[message + SYNC_FIELD] !== CRC_TAG) return undefined;
  for (let i = 0; i < sync.length; i++) if (bytes[message + 1 + i] !== sync[i]) return undefined;
  return { message, end: message + length.value };
};

/** Kind and body of an intact record. */
export interface OpenRecord {
  /** Field number in `Envelope`; kinds of later versions are possible. */
  readonly kind: number;
  /** A view. */
  readonly body: Uint8Array;
}

/** Opens the message of a record (`bytes` is all of it, from its sync mark on); `undefined` when the checksum is wrong. */
export const openRecord = (message: Uint8Array): OpenRecord | undefined => {
  if (message.length <= MARK_BYTES) return undefined;
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const checksum = crc32(message.subarray(MARK_BYTES), crc32(message.subarray(1, SYNC_FIELD)));
  if (view.getUint32(SYNC_FIELD + 1, true) !== checksum) return undefined;
  const tag = readVarint(message, MARK_BYTES);
  const length = tag && (tag.value & 7) === 2 ? readVarint(message, tag.next) : undefined;
  if (tag === undefined || length === undefined || length.next + length.value > message.length)
    return undefined;
  return { kind: tag.value >>> 3, body: message.subarray(length.next, length.next + length.value) };
};

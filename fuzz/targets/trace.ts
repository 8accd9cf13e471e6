/**
 * Bytes as a trace file, either as they are or as records whose marks and checksums are right: the file opens and tells what
 * it holds, is repaired, or is refused.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { statsOf } from '#relight/report/stats.js';
import { decodedFrames } from '#relight/trace/decoded-frames.js';
import { MAGIC } from '#relight/trace/format.js';
import { sealTrailer } from '#relight/trace/part-writer.js';
import { openTrace } from '#relight/trace/reader.js';
import { sealRecord } from '#relight/trace/record.js';
import { repairTrace } from '#relight/trace/repair.js';
import { Bytes } from './bytes.js';
import { unlessRefused } from './expecting.js';

const folder = mkdtempSync(join(tmpdir(), 'relight-fuzz-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const sync = Buffer.from('relight!');

/** Records by kind and body, the last `from` has, and a trailer that points to the last of them. */
const sealed = (from: Bytes): Uint8Array => {
  const pieces: Uint8Array[] = [MAGIC];
  let [size, last] = [MAGIC.length, MAGIC.length];
  while (!from.isAtEnd) {
    const record = Buffer.concat(sealRecord(sync, from.byte(), [from.piece()]));
    last = size;
    size += record.length;
    pieces.push(record);
  }
  return Buffer.concat([...pieces, ...sealTrailer(sync, last, size)]);
};

const read = (path: string): void => {
  const trace = openTrace(path);
  try {
    for (const frame of trace.frames()) void frame.bytes;
    for (const decoded of decodedFrames(trace)) void decoded.requestMessage();
    statsOf(trace);
    for (const { incarnation } of trace.incarnations) trace.maps(incarnation);
    void trace.damage;
  } finally {
    trace.close();
  }
};

/** Whether the file is made of records, then its bytes or their bodies. */
export const fuzz = async (input: Uint8Array): Promise<void> => {
  const from = new Bytes(input);
  const path = join(folder, 'a.rlt');
  writeFileSync(path, from.byte() === 0 ? from.take() : sealed(from));
  unlessRefused(() => read(path));
  unlessRefused(() => repairTrace(path));
  unlessRefused(() => read(path));
};

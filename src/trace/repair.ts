/** Gives a trace without an index its index. Nothing of the file is thrown away, not even what is damaged. */

import {
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { nowNs } from '../base/clock.js';
import { splitBlock } from './block-reader.js';
import { Kind, MAGIC } from './format.js';
import { relight } from './generated/schema.js';
import { readHeader } from './header-reader.js';
import { type Contents, contentsByIndex, contentsByScan } from './index-reader.js';
import { encodeEnding, INDEX_BYTES, IndexBuilder, sealTrailer } from './part-writer.js';
import { bytesOf, sealRecord } from './record.js';
import { type Damage, recordAt } from './scan.js';
import { fileError } from './sink.js';
import { TraceFile } from './trace-file.js';
import { countToLong } from './wire-values.js';

/** What was found and done. */
export interface Repair {
  /** False when the trace had its index, and was left alone. */
  readonly isChanged: boolean;
  /** Frames that can be read. */
  readonly frames: number;
  /** What cannot. */
  readonly damage: readonly Damage[];
}

/**
 * Writes the index of a trace whose writer was killed or whose end is damaged: into a copy beside it, which then takes its
 * name, so that a crash or a full disk leaves the trace as it was. Throws a RelightError as `openTrace` does, and when the
 * copy cannot be written.
 */
export const repairTrace = (path: string): Repair => {
  const file = new TraceFile(path);
  try {
    const { sync } = readHeader(file);
    const indexed = contentsByIndex(file, sync);
    const contents = indexed ?? contentsByScan(file, sync);
    if (indexed === undefined) replace(path, repairedTail(file, contents, sync));
    const frames = contents.blocks.reduce((sum, block) => sum + block.count, 0);
    return { isChanged: indexed === undefined, frames, damage: contents.damage };
  } finally {
    file.close();
  }
};

/** Bytes to write over or behind a file. */
interface Patch {
  readonly offset: number;
  readonly chunks: readonly Uint8Array[];
}

const replace = (path: string, patches: readonly Patch[]): void => {
  const copy = `${path}.${process.pid}.tmp`;
  try {
    copyFileSync(path, copy, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  } catch (error) {
    throw fileError('write', copy, error);
  }
  try {
    patch(copy, patches);
    renameSync(copy, path);
  } catch (error) {
    rmSync(copy, { force: true });
    throw fileError('repair', path, error);
  }
};

const patch = (path: string, patches: readonly Patch[]): void => {
  const fd = openSync(path, 'r+');
  try {
    for (const { offset, chunks } of patches) writeAll(fd, Buffer.concat(chunks), offset);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
};

const writeAll = (fd: number, bytes: Uint8Array, offset: number): void => {
  for (let done = 0; done < bytes.length; )
    done += writeSync(fd, bytes, done, bytes.length - done, offset + done);
};

const repairedTail = (file: TraceFile, contents: Contents, sync: Uint8Array): Patch[] => {
  const chunks: Uint8Array[] = [];
  let offset = file.size;
  const append = (record: readonly Uint8Array[]): number => {
    const at = offset;
    chunks.push(...record);
    offset += bytesOf(record);
    return at;
  };
  const lastIndex = appendIndex(file, contents, sync, append);
  append(sealRecord(sync, Kind.end, [endingOf(contents)]));
  append(sealTrailer(sync, lastIndex, offset));
  return [...headerPatch(file, contents, sync), { offset: file.size, chunks }];
};

const appendIndex = (
  file: TraceFile,
  contents: Contents,
  sync: Uint8Array,
  append: (record: readonly Uint8Array[]) => number,
): number => {
  const index = new IndexBuilder();
  let last = 0;
  const spill = (damage: readonly Uint8Array[]): void => {
    last = append(
      sealRecord(sync, Kind.index, [...index.body(last), ...damage]).map((chunk) => chunk.slice()),
    );
    index.clear();
  };
  for (const place of contents.context) index.context(place.offset, place.length, place);
  for (const block of contents.blocks) {
    const record = recordAt(file, block.offset, sync);
    index.block(block.offset, block.length, (record && splitBlock(record.body)?.head) ?? new Uint8Array(0));
    if (index.bytes >= INDEX_BYTES) spill([]);
  }
  spill([relight.trace.Index.encode({ damage: contents.damage.map(encodeDamage) }).finish()]);
  return last;
};

const encodeDamage = (damage: Damage): relight.trace.Damage.$Properties => ({
  offset: countToLong(damage.offset),
  bytes: countToLong(damage.bytes),
  reason: damage.reason,
  ...(damage.frames === undefined ? {} : { frames: countToLong(damage.frames) }),
});

const endingOf = ({ blocks, ending }: Contents): Uint8Array =>
  encodeEnding({
    timeNs: ending?.timeNs ?? nowNs(),
    frames: blocks.reduce((sum, block) => sum + block.count, 0),
    lost: ending?.lost ?? blocks.reduce((sum, block) => sum + block.lost, 0),
    failure: ending?.failure ?? '',
    continued: ending?.continued ?? false,
    repaired: true,
  });

/** The header's copy over a damaged first record, where it fits: they are equal byte for byte. */
const headerPatch = (file: TraceFile, contents: Contents, sync: Uint8Array): Patch[] => {
  if (recordAt(file, MAGIC.length, sync) !== undefined) return [];
  const copy = contents.context.find((place) => place.kind === Kind.header);
  const next = Math.min(...[...contents.context, ...contents.blocks].map((place) => place.offset));
  if (copy === undefined || MAGIC.length + copy.length > next) return [];
  return [{ offset: MAGIC.length, chunks: [file.read(copy.offset, copy.length)] }];
};

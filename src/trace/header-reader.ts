/** Finds the header of a trace and its sync mark, from a copy when the first is damaged; says what a file is that is no trace. */

import { RelightError } from '../base/error.js';
import type { TraceHeader } from './context.js';
import { decodeHeader } from './context-codec.js';
import { FORMAT_VERSION, Kind, MAGIC, TRAILER_BYTES } from './format.js';
import { relight } from './generated/schema.js';
import { attempt } from './index-reader.js';
import { MAX_LENGTH_BYTES } from './record.js';
import { recordAt, scanRecords } from './scan.js';
import type { TraceFile } from './trace-file.js';

const SYNC_TAG = 0x09;
const SYNC_BYTES = 8;

/** Places where the sync mark should stand: in the first record, and in the trailer. */
const syncCandidates = (file: TraceFile): Uint8Array[] => {
  const places = [1, 2, 3, MAX_LENGTH_BYTES].map((length) => MAGIC.length + length);
  places.push(file.size - TRAILER_BYTES + 1);
  return places
    .filter((at) => at > 0 && file.read(at, 1)[0] === SYNC_TAG)
    .map((at) => file.read(at + 1, SYNC_BYTES))
    .filter((sync) => sync.length === SYNC_BYTES);
};

const headerOf = (file: TraceFile, body: Uint8Array): TraceHeader | undefined => {
  const version = attempt(() => relight.trace.Header.decode(body).formatVersion);
  if (version !== undefined && version > FORMAT_VERSION)
    throw new RelightError(
      'usage',
      `${file.path} has trace format ${version}, and this relight reads up to ${FORMAT_VERSION}`,
      { remedy: 'read it with the relight that wrote it, or a newer one' },
    );
  return attempt(() => decodeHeader(body));
};

const headerInScan = (file: TraceFile, sync: Uint8Array): TraceHeader | undefined => {
  for (const finding of scanRecords(file, MAGIC.length, sync)) {
    const isHeader = 'record' in finding && finding.record.kind === Kind.header;
    const header = isHeader ? headerOf(file, finding.record.body) : undefined;
    if (header !== undefined) return header;
  }
  return undefined;
};

/** Header and sync mark. Throws a RelightError that says what is wrong with the file when it is no trace that can be read. */
export const readHeader = (file: TraceFile): { header: TraceHeader; sync: Uint8Array } => {
  if (file.size === 0) throw new RelightError('usage', `${file.path} is empty`);
  const magic = file.read(0, MAGIC.length);
  if (Buffer.compare(magic, MAGIC.subarray(0, magic.length)) !== 0)
    throw new RelightError('usage', `${file.path} is not a relight trace`);
  const candidates = syncCandidates(file);
  for (const sync of candidates) {
    const first = recordAt(file, MAGIC.length, sync);
    const header = first?.kind === Kind.header ? headerOf(file, first.body) : undefined;
    if (header !== undefined) return { header, sync };
  }
  for (const sync of candidates) {
    const header = headerInScan(file, sync);
    if (header !== undefined) return { header, sync };
  }
  throw new RelightError('usage', `${file.path} is a relight trace, but its header is cut or damaged`);
};

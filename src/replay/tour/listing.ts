/** Lists directories as the kernel does: READDIRPLUS where it was settled, and as often as the session's mode says. */

import type { ReplyFields } from '../../protocol/operations.js';
import type { Calls } from './calls.js';
import { close, type OpenFile, open } from './files.js';
import { OpenFor } from './open-flags.js';
import type { TourState } from './state.js';

/** Attributes of a node as replies give them. */
export type Attributes = ReplyFields<'LOOKUP'>['attr'];

/** A name in a directory; with its node where READDIRPLUS gave one. */
export interface Listed {
  readonly name: string;
  readonly node: { readonly nodeid: bigint; readonly attr: Attributes } | undefined;
}

/** A record of either kind. */
interface DirectoryRecord extends Listed {
  /** Position after it. */
  readonly off: bigint;
}

/** Buffer of getdents(2) under most kernels. */
const LIST_BYTES = 4096;
/** Records without end come from a server that repeats itself: "." and ".." are not entries that a limit counts. */
const SPARE_RECORDS = 16;

/** How a directory is listed. */
export interface Listing {
  /** Names wanted at most. */
  readonly most: number;
  /** Whether it may stay open among those that the tour holds. */
  readonly mayStayOpen: boolean;
}

/** Names in a directory without "." and ".."; none when it cannot be opened. */
export function* list(state: TourState, nodeid: bigint, { most, mayStayOpen }: Listing): Calls<Listed[]> {
  const file = yield* open(state.caller, nodeid, { flags: OpenFor.listing, isDirectory: true });
  if (file === undefined) return [];
  const listed: Listed[] = [];
  let offset = 0n;
  for (let count = 0; count < most + SPARE_RECORDS; ) {
    const records = yield* readSome(state, file, offset);
    if (records.length === 0) break;
    listed.push(...records.filter(({ name }) => name !== '.' && name !== '..'));
    count += records.length;
    offset = records.at(-1)?.off ?? offset;
  }
  if (!mayStayOpen || !state.keepsOpen(file)) yield* close(state.caller, file);
  if (listed.length > most) state.cut.add('entries');
  return listed.slice(0, most);
}

/** One reply of records from a position on; none at the end, and with an error. */
export function* readSome({ caller }: TourState, file: OpenFile, offset: bigint): Calls<DirectoryRecord[]> {
  const { nodeid, fh, flags } = file;
  const request = { fh, offset, size: LIST_BYTES, flags };
  // With READDIRPLUS_AUTO it is used at the start of a directory, and later only if names were looked up meanwhile
  // (fuse_use_readdirplus); here names are looked up when the list is complete.
  const plus = caller.sends('READDIRPLUS') && (offset === 0n || !caller.has('READDIRPLUS_AUTO'));
  if (!plus) {
    const { fields } = yield* caller.ask('READDIR', nodeid, request);
    return (fields?.entries ?? []).map(({ name, off }) => ({ name, off, node: undefined }));
  }
  const { fields } = yield* caller.ask('READDIRPLUS', nodeid, request);
  return (fields?.entries ?? []).map((record) => ({
    name: record.name,
    off: record.off,
    node: record.nodeid === 0n ? undefined : { nodeid: record.nodeid, attr: record.attr },
  }));
}

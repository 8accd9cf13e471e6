/** Bugs in telling a file handle of this incarnation, of this file and of this type from any other. */

import { Fattr } from '../../protocol/flags.js';
import type { Handler } from '../engine/handler.js';
import { type Handle, numberedHandles } from '../handles/handles.js';
import type { World } from '../memfs.js';
import { isDirectory } from '../store/store.js';
import { withHandlers } from './changing.js';
import { halvedHandles, halves, type LikeHandle } from './halves.js';
import { followGarbage, unfilled } from './memory.js';
import type { Parts, PlantedBug } from './planted-bug.js';

type OnHandle = 'READ' | 'WRITE' | 'SETATTR' | 'RELEASE' | 'RELEASEDIR';

/** A handler that takes the handle with the same lower half for the one that is meant, whatever node the request names. */
const onHandleLike =
  <N extends OnHandle>(like: LikeHandle, handler: Handler<N>): Handler<N> =>
  (call) => {
    const { server, header, fields } = call;
    const { fh, nodeid } = like(server, { fh: fields.fh, nodeid: header.nodeid });
    return handler({ ...call, header: { ...header, nodeid }, fields: { ...fields, fh } });
  };

const setsByHandle =
  (like: LikeHandle, handler: Handler<'SETATTR'>): Handler<'SETATTR'> =>
  (call) =>
    ((call.fields.valid & Fattr.FH) === 0 ? handler : onHandleLike(like, handler))(call);

const copiesTo =
  <N extends 'COPY_FILE_RANGE' | 'COPY_FILE_RANGE_64'>(like: LikeHandle, handler: Handler<N>): Handler<N> =>
  (call) => {
    const { server, fields } = call;
    const { fh, nodeid } = like(server, { fh: fields.fhOut, nodeid: fields.nodeidOut });
    return handler({ ...call, fields: { ...fields, fhOut: fh, nodeidOut: nodeid } });
  };

const LOWER = 0xffff_ffffn;

/** The index of a handle is compared with the length of the table before anything else is. */
const boundIncluded = (fixed: boolean): Partial<Parts> => {
  const numbering = halves<Handle>();
  return {
    wrapHandles: (_policy, { store, die }) => {
      const handles = numberedHandles(store, numbering);
      if (fixed) return handles;
      return {
        ...handles,
        find: (fh, inode) => {
          if ((fh & LOWER) === numbering.next()) die('index out of range');
          return handles.find(fh, inode);
        },
      };
    },
  };
};

/** What a handler for directories makes of a file's handle: it follows what it takes for a pointer to the listing. */
const followsListing =
  <N extends 'READDIR' | 'READDIRPLUS'>(handler: Handler<N>, { heap }: World): Handler<N> =>
  (call) => {
    const handle = call.server.handles.find(call.fields.fh, undefined);
    if (handle !== undefined && !isDirectory(handle.inode)) followGarbage(heap());
    return handler(call);
  };

/** What READ makes of a directory's handle: the bytes of the record are taken for those of a file. */
const readsRecord =
  (handler: Handler<'READ'>, { heap }: World): Handler<'READ'> =>
  (call) => {
    const handle = call.server.handles.find(call.fields.fh, undefined);
    if (handle === undefined || !isDirectory(handle.inode)) return handler(call);
    return { data: unfilled(heap(), Math.min(call.fields.size, 4096)) };
  };

/** Bugs of file handles. */
export const handleBugs = [
  {
    name: 'read-stale-fh',
    summary: 'READ compares only the index in a file handle, and reads whatever file has it now',
    fix: 'the whole handle is compared, and its node',
    mechanism: 'generation ignored',
    verdicts: ['wrong-object'],
    ops: ['READ'],
    parts: (fixed) => halvedHandles(fixed, ({ READ }, like) => ({ READ: onHandleLike(like, READ) })),
  },
  {
    name: 'write-stale-fh',
    summary: 'WRITE compares only the index in a file handle, and writes into whatever file has it now',
    fix: 'the whole handle is compared, and its node',
    mechanism: 'generation ignored',
    verdicts: ['wrong-object'],
    ops: ['WRITE'],
    parts: (fixed) => halvedHandles(fixed, ({ WRITE }, like) => ({ WRITE: onHandleLike(like, WRITE) })),
  },
  {
    name: 'setattr-stale-fh',
    summary:
      'SETATTR with a file handle compares only the index in it, and truncates whatever file has it now',
    fix: 'the whole handle is compared, and its node',
    mechanism: 'generation ignored',
    verdicts: ['wrong-object'],
    ops: ['SETATTR'],
    parts: (fixed) => halvedHandles(fixed, ({ SETATTR }, like) => ({ SETATTR: setsByHandle(like, SETATTR) })),
  },
  {
    name: 'copy-stale-fh-out',
    summary:
      'COPY_FILE_RANGE compares only the index in the second handle, and copies into whatever file has it now',
    fix: 'the whole handle is compared, and its node',
    mechanism: 'generation ignored',
    verdicts: ['wrong-object'],
    ops: ['COPY_FILE_RANGE', 'COPY_FILE_RANGE_64'],
    parts: (fixed) =>
      halvedHandles(fixed, ({ COPY_FILE_RANGE, COPY_FILE_RANGE_64 }, like) => ({
        COPY_FILE_RANGE: copiesTo(like, COPY_FILE_RANGE),
        COPY_FILE_RANGE_64: copiesTo(like, COPY_FILE_RANGE_64),
      })),
  },
  {
    name: 'release-stale-fh',
    summary: 'RELEASE compares only the index in a handle, and closes whatever file has it now',
    fix: 'the whole handle is compared, and its node',
    mechanism: 'generation ignored',
    verdicts: ['poison'],
    ops: ['RELEASE', 'RELEASEDIR'],
    parts: (fixed) =>
      halvedHandles(fixed, ({ RELEASE, RELEASEDIR }, like) => ({
        RELEASE: onHandleLike(like, RELEASE),
        RELEASEDIR: onHandleLike(like, RELEASEDIR),
      })),
  },
  {
    name: 'handle-off-by-one',
    summary:
      'the index in a handle may be as large as the table is long, and the access behind the end ends the server',
    fix: 'such a handle is EBADF',
    mechanism: 'assertion',
    verdicts: ['abort'],
    ops: [],
    parts: boundIncluded,
  },
  {
    name: 'readdir-of-file-handle',
    summary: "READDIR takes a file's handle for a directory's and follows a pointer that is none",
    fix: 'such a handle is refused',
    mechanism: 'handle confusion',
    verdicts: ['crash'],
    ops: ['READDIR', 'READDIRPLUS'],
    parts: (fixed) =>
      withHandlers(fixed, ({ READDIR, READDIRPLUS }, world) => ({
        READDIR: followsListing(READDIR, world),
        READDIRPLUS: followsListing(READDIRPLUS, world),
      })),
  },
  {
    name: 'read-of-directory-handle',
    summary: "READ takes a directory's handle for a file's and answers with bytes of the record",
    fix: 'such a handle is refused',
    mechanism: 'handle confusion',
    verdicts: ['leak'],
    ops: ['READ'],
    parts: (fixed) => withHandlers(fixed, ({ READ }, world) => ({ READ: readsRecord(READ, world) })),
  },
] as const satisfies readonly PlantedBug[];

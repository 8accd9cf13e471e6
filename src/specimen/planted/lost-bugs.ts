/** Bugs in saying yes to what cannot be done any more. */

import type { FileHandle } from '../../base/ids.js';
import { entryOut } from '../engine/attributes.js';
import { type Answer, type Call, done, type Handler } from '../engine/handler.js';
import { refuse } from '../store/refusal.js';
import { ROOT_INO } from '../store/store.js';
import { withHandlers } from './changing.js';
import type { PlantedBug } from './planted-bug.js';

type OnHandle = 'WRITE' | 'FLUSH' | 'FSYNC' | 'FSYNCDIR';

/** A handler that answers otherwise when the handle is unknown. */
const ifUnknown =
  <N extends OnHandle>(handler: Handler<N>, otherwise: (call: Call<N>) => Answer<N>): Handler<N> =>
  (call) => {
    const fh: FileHandle = call.fields.fh;
    return call.server.handles.find(fh, undefined) === undefined ? otherwise(call) : handler(call);
  };

/** Whether the directory of a request is unknown. */
const isNowhere = ({ server, header }: Call<'UNLINK'> | Call<'RMDIR'>): boolean =>
  server.nodes.find(header.nodeid) === undefined;

/** Answers with the entry of a file that is no more, from what a struct of zeroes says of it. */
const linksNothing =
  (handler: Handler<'LINK'>): Handler<'LINK'> =>
  (call) => {
    const { server, header, fields } = call;
    const directory = server.nodes.find(header.nodeid);
    const root = server.store.find(ROOT_INO);
    if (server.nodes.find(fields.oldnodeid) !== undefined || directory === undefined || root === undefined)
      return handler(call);
    const { attr, ...entry } = entryOut(server, root);
    return { ...entry, nodeid: fields.oldnodeid, attr: { mode: 0o100644, nlink: 1 } };
  };

/** Bugs by which something that was acknowledged is lost. */
export const lostBugs = [
  {
    name: 'write-stale-acknowledged',
    summary: 'WRITE, FLUSH and FSYNC with an unknown handle go to a buffer that is dropped',
    fix: 'they are EBADF',
    mechanism: 'session state',
    verdicts: ['lost'],
    ops: ['WRITE', 'FLUSH', 'FSYNC'],
    parts: (fixed) =>
      withHandlers(fixed, ({ WRITE, FLUSH, FSYNC }) => ({
        WRITE: ifUnknown(WRITE, ({ fields }) => ({ size: fields.data.length })),
        FLUSH: ifUnknown(FLUSH, () => done),
        FSYNC: ifUnknown(FSYNC, () => done),
      })),
  },
  {
    name: 'fsync-enosys',
    summary:
      'FSYNC and FLUSH with an unknown handle are ENOSYS, after which the kernel never sends one again',
    fix: 'they are EBADF',
    mechanism: 'session state',
    verdicts: ['lost', 'poison'],
    ops: ['FLUSH', 'FSYNC', 'FSYNCDIR'],
    parts: (fixed) =>
      withHandlers(fixed, ({ FLUSH, FSYNC, FSYNCDIR }) => ({
        FLUSH: ifUnknown(FLUSH, () => refuse('ENOSYS')),
        FSYNC: ifUnknown(FSYNC, () => refuse('ENOSYS')),
        FSYNCDIR: ifUnknown(FSYNCDIR, () => refuse('ENOSYS')),
      })),
  },
  {
    name: 'unlink-stale-acknowledged',
    summary: 'UNLINK and RMDIR in an unknown directory succeed, as what is not there need not be removed',
    fix: 'they are ESTALE',
    mechanism: 'session state',
    verdicts: ['lost'],
    ops: ['UNLINK', 'RMDIR'],
    parts: (fixed) =>
      withHandlers(fixed, ({ UNLINK, RMDIR }) => ({
        UNLINK: (call) => (isNowhere(call) ? done : UNLINK(call)),
        RMDIR: (call) => (isNowhere(call) ? done : RMDIR(call)),
      })),
  },
  {
    name: 'link-of-deleted',
    summary: 'LINK of an unknown node answers with an entry for it, and makes no name',
    fix: 'it is ESTALE',
    mechanism: 'session state',
    verdicts: ['lost', 'wrong-object', 'malformed'],
    ops: ['LINK'],
    parts: (fixed) => withHandlers(fixed, ({ LINK }) => ({ LINK: linksNothing(LINK) })),
  },
] as const satisfies readonly PlantedBug[];

/** Scripts that show the bugs by which something that was acknowledged is lost. */

import { Errno } from '#relight/base/errno.js';
import { bytes } from '../conversation.js';
import type { Happened, Scripts, Stage } from './playing.js';

const writes = (stage: Stage): Happened => {
  const talk = stage.start();
  const nodeid = talk.walk('hello.txt');
  const before = talk.contents(nodeid);
  const wrote = talk.errno('WRITE', { fh: 77n, data: bytes('abc'), size: 3 }, { nodeid });
  const isSynced = talk.errno('FSYNC', { fh: 77n }, { nodeid }) === 0;
  return wrote === 0 && isSynced && talk.contents(nodeid) === before ? 'lost' : 'clean';
};

const syncs = (stage: Stage): Happened => {
  const talk = stage.start();
  const nodeid = talk.walk('hello.txt');
  return talk.errno('FSYNC', { fh: 77n }, { nodeid }) === Errno.ENOSYS ? 'lost' : 'clean';
};

const removes = (stage: Stage): Happened => {
  const stale = stage.start().walk('docs');
  const talk = stage.start();
  const removed = talk.errno('UNLINK', { name: 'guide.txt' }, { nodeid: stale });
  const isThere = talk.errno('LOOKUP', { name: 'guide.txt' }, { nodeid: talk.walk('docs') }) === 0;
  return removed === 0 && isThere ? 'lost' : 'clean';
};

const links = (stage: Stage): Happened => {
  const oldnodeid = stage.start().walk('hello.txt');
  const talk = stage.start();
  const linked = talk.errno('LINK', { oldnodeid, newname: 'more' });
  return linked === 0 && talk.errno('LOOKUP', { name: 'more' }) === Errno.ENOENT ? 'lost' : 'clean';
};

/** By bug. */
export const lostScripts: Scripts = {
  'write-stale-acknowledged': writes,
  'fsync-enosys': syncs,
  'unlink-stale-acknowledged': removes,
  'link-of-deleted': links,
};

/** Scripts that show the bugs of numbering. */

import type { Conversation } from '../conversation.js';
import type { Happened, Scripts, Stage } from './playing.js';

const names = ['hello.txt', 'coloured.txt', 'run.sh'];

/** Which file a nodeid serves: its label, or `none` when it is refused. */
const served = (talk: Conversation, nodeid: bigint): string =>
  talk.errno('GETATTR', {}, { nodeid }) === 0 ? talk.label(nodeid) : 'none';

/** A nodeid of one incarnation, used in the next after the same names were looked up in another order. */
const staleNode = (stage: Stage): Happened => {
  const first = stage.start();
  const [stale = 0n] = names.map((name) => first.walk(name));
  const second = stage.start();
  for (const name of [...names].reverse()) second.walk(name);
  return served(second, stale) === 'none' ? 'clean' : 'wrong-object';
};

const forgottenNode = (stage: Stage): Happened => {
  const talk = stage.start();
  const stale = talk.walk('hello.txt');
  talk.say('FORGET', { nlookup: 1n }, { nodeid: stale });
  talk.walk('run.sh');
  return served(talk, stale) === 'none' ? 'clean' : 'wrong-object';
};

const removedFile = (stage: Stage): Happened => {
  const talk = stage.start();
  const stale = talk.ask('MKNOD', { name: 'old', mode: 0o100644 }).nodeid;
  talk.ask('UNLINK', { name: 'old' });
  talk.say('FORGET', { nlookup: 1n }, { nodeid: stale });
  talk.ask('MKNOD', { name: 'new', mode: 0o100644 });
  return talk.errno('GETATTR', {}, { nodeid: stale }) === 0 ? 'wrong-object' : 'clean';
};

const staleHandle = (stage: Stage): Happened => {
  const first = stage.start();
  const { fh } = first.ask('OPEN', { flags: 0 }, { nodeid: first.walk('hello.txt') });
  const second = stage.start();
  second.ask('OPEN', { flags: 0 }, { nodeid: second.walk('run.sh') });
  const nodeid = second.walk('hello.txt');
  const read = second.errno('READ', { fh, offset: 0n, size: 10 }, { nodeid });
  return read === 0 ? 'wrong-object' : 'clean';
};

const unknownNode = (stage: Stage): Happened => {
  const talk = stage.start();
  return talk.errno('GETATTR', {}, { nodeid: 77_777_777n }) === 0 ? 'wrong-object' : 'clean';
};

/** By bug. */
export const numberingScripts: Scripts = {
  'node-pointer': staleNode,
  'handle-pointer': staleHandle,
  'node-counter-restart': staleNode,
  'node-index-recycled': forgottenNode,
  'inode-recycled': removedFile,
  'handle-fd-recycled': staleHandle,
  'node-unknown-abort': unknownNode,
};

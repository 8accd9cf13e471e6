/** Scripts that show the bugs of nodeids. */

import { Fattr } from '#relight/protocol/flags.js';
import type { Conversation } from '../conversation.js';
import type { Happened, Scripts, Stage } from './playing.js';

/** A nodeid of the first incarnation, and the second with another node under the same index. */
const swapped = (stage: Stage, [old, now]: readonly [string, string], options = {}) => {
  const stale = stage.start(options).walk(old);
  const talk = stage.start(options);
  return { stale, now: talk.walk(now), talk };
};

const isKnown = (talk: Conversation, nodeid: bigint): boolean => talk.errno('GETATTR', {}, { nodeid }) === 0;

const readsAnother =
  (options = {}) =>
  (stage: Stage): Happened => {
    const { stale, talk } = swapped(stage, ['hello.txt', 'run.sh'], options);
    return isKnown(talk, stale) ? 'wrong-object' : 'clean';
  };

const forgetsAnother = (stage: Stage): Happened => {
  const { stale, now, talk } = swapped(stage, ['hello.txt', 'run.sh']);
  talk.say('FORGET', { nlookup: 1n }, { nodeid: stale });
  talk.say('BATCH_FORGET', { items: [{ nodeid: stale, nlookup: 1n }], count: 1 });
  return isKnown(talk, now) ? 'clean' : 'poison';
};

const truncatesAnother = (stage: Stage): Happened => {
  const { stale, now, talk } = swapped(stage, ['hello.txt', 'run.sh']);
  talk.errno('SETATTR', { valid: Fattr.SIZE, size: 0n }, { nodeid: stale });
  return talk.label(now) === 'run.sh' ? 'clean' : 'wrong-object';
};

const movesElsewhere = (stage: Stage): Happened => {
  const { stale, now, talk } = swapped(stage, ['docs', 'tree']);
  talk.errno('RENAME', { oldname: 'run.sh', newname: 'moved', newdir: stale });
  return talk.errno('LOOKUP', { name: 'moved' }, { nodeid: now }) === 0 ? 'wrong-object' : 'clean';
};

const makesElsewhere = (stage: Stage): Happened => {
  const { stale, now, talk } = swapped(stage, ['docs', 'tree']);
  talk.errno('MKDIR', { name: 'made', mode: 0o700 }, { nodeid: stale });
  return talk.errno('LOOKUP', { name: 'made' }, { nodeid: now }) === 0 ? 'wrong-object' : 'clean';
};

/** By bug. */
export const nodeScripts: Scripts = {
  'node-generation-ignored': readsAnother(),
  'node-seeded-by-address': readsAnother({ sameBase: true }),
  'forget-stale-counts': forgetsAnother,
  'setattr-checked-late': truncatesAnother,
  'rename-stale-newdir': movesElsewhere,
  'make-stale-parent': makesElsewhere,
};

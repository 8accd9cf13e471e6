/** Scripts that show the bugs of messages that are not what they say. */

import { bytes, type Conversation } from '../conversation.js';
import { answerTo, frameOf, type Happened, type Scripts, type Stage } from './playing.js';

/** A request with a number put over the four bytes at `at`. */
const lying = (frame: Uint8Array, at: number, value: number): Uint8Array => {
  const copy = Buffer.from(frame);
  copy.writeUInt32LE(value, at);
  return copy;
};

/** Sends a broken request; a good answer to it is `then`. */
const sent =
  (make: (talk: Conversation) => Uint8Array) =>
  (stage: Stage): Happened => {
    const talk = stage.start();
    return answerTo(talk, make(talk)) === 0 ? 'wrong-object' : 'clean';
  };

const unterminated = (talk: Conversation): Uint8Array => {
  const frame = frameOf(talk, 'LOOKUP', { name: 'run.sh' }).subarray(0, -1);
  return lying(frame, 0, frame.length);
};

const FILE = 'coloured.txt';

const writesMore = (stage: Stage): Happened => {
  const talk = stage.start();
  const nodeid = talk.walk(FILE);
  const { fh } = talk.ask('OPEN', { flags: 2 }, { nodeid });
  const before = talk.contents(nodeid);
  answerTo(talk, lying(frameOf(talk, 'WRITE', { fh, data: bytes('abcd'), size: 4 }, { nodeid }), 56, 1024));
  return talk.contents(nodeid).slice(4) === before.slice(4) ? 'clean' : 'leak';
};

const setsMore = (stage: Stage): Happened => {
  const talk = stage.start();
  const nodeid = talk.walk(FILE);
  const frame = frameOf(talk, 'SETXATTR', { name: 'user.a', value: bytes('abcd'), size: 4 }, { nodeid });
  answerTo(talk, lying(frame, 40, 64));
  return talk.errno('GETXATTR', { name: 'user.a', size: 0 }, { nodeid }) === 0 ? 'leak' : 'clean';
};

const listsMore = (stage: Stage): Happened => {
  const talk = stage.start();
  const { fh } = talk.ask('OPENDIR', {});
  const [reply] = talk.memfs.engine.handle(frameOf(talk, 'READDIR', { fh, offset: 0n, size: 64 }));
  return (reply?.length ?? 0) > 64 + 16 ? 'malformed' : 'clean';
};

const MINUS_ONE = (1n << 64n) - 1n;

const listsBackwards = (stage: Stage): Happened => {
  const talk = stage.start();
  const { fh } = talk.ask('OPENDIR', {});
  const { entries } = talk.ask('READDIR', { fh, offset: MINUS_ONE, size: 4096 });
  return entries.length === 0 ? 'clean' : 'wrong-object';
};

const readsBackwards = (stage: Stage): Happened => {
  const talk = stage.start();
  const nodeid = talk.walk(FILE);
  const { fh } = talk.ask('OPEN', {}, { nodeid });
  const { data } = talk.ask('READ', { fh, offset: MINUS_ONE, size: 64 }, { nodeid });
  return data.length === 0 ? 'clean' : 'leak';
};

/** By bug. */
export const messageScripts: Scripts = {
  'batch-forget-count': sent((talk) =>
    lying(frameOf(talk, 'BATCH_FORGET', { count: 1, items: [{ nodeid: 7n, nlookup: 1n }] }), 40, 2),
  ),
  'header-length': sent((talk) => lying(frameOf(talk, 'GETATTR', {}), 0, 4096)),
  'name-unterminated': sent(unterminated),
  'write-size': writesMore,
  'setxattr-size': setsMore,
  'readdir-size-rounded': listsMore,
  'readdir-offset-negative': listsBackwards,
  'read-offset-negative': readsBackwards,
};

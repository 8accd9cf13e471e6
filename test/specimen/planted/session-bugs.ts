/** Scripts that show the bugs of sessions. */

import { encodeRequest } from '#relight/protocol/encode.js';
import { LockType } from '#relight/specimen/engine/locks.js';
import { answerTo, frameOf, type Happened, type Scripts, type Stage } from './playing.js';

const forgetsTooMany = (stage: Stage): Happened => {
  const talk = stage.start();
  const nodeid = talk.walk('hello.txt');
  talk.say('FORGET', { nlookup: 5n }, { nodeid });
  return talk.errno('GETATTR', {}, { nodeid }) === 0 ? 'clean' : 'poison';
};

const asksAnything = (stage: Stage): Happened => {
  const talk = stage.start();
  const header = { opcode: 999, unique: 8n, nodeid: 1n };
  const frame = encodeRequest(
    { name: undefined, header, fields: { body: new Uint8Array(8) } },
    talk.negotiated,
  );
  return answerTo(talk, frame) === 'malformed' ? 'malformed' : 'clean';
};

const beginsTwice = (stage: Stage): Happened => {
  const talk = stage.start();
  const nodeid = talk.walk('hello.txt');
  talk.errno('INIT', { major: 7, minor: 45 });
  return talk.errno('GETATTR', {}, { nodeid }) === 0 ? 'clean' : 'poison';
};

/** Whether the root is still answered for after a request. */
const living = (stage: Stage, make: (talk: ReturnType<Stage['start']>) => Uint8Array): Happened => {
  const talk = stage.start();
  talk.memfs.engine.handle(make(talk));
  return answerTo(talk, frameOf(talk, 'GETATTR', {})) === 0 ? 'clean' : 'hang';
};

const unlocks = (stage: Stage): Happened =>
  living(stage, (talk) => {
    const nodeid = talk.walk('hello.txt');
    const { fh } = talk.ask('OPEN', {}, { nodeid });
    const lk = { start: 0n, end: 10n, type: LockType.unlock, pid: 1 };
    return frameOf(talk, 'SETLK', { fh, owner: 0xabcn, lk }, { nodeid });
  });

/** By bug. */
export const sessionScripts: Scripts = {
  'forget-underflow': forgetsTooMany,
  'unknown-opcode': asksAnything,
  'second-init': beginsTwice,
  'unlock-stale-owner': unlocks,
  'stale-handle-waits': (stage) => living(stage, (talk) => frameOf(talk, 'READ', { fh: 77n, size: 10 })),
};

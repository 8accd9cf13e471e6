/** Scripts that show the bugs of requests that are sent again. */

import { RenameFlag, UNIQUE_RESEND } from '#relight/protocol/flags.js';
import { uniqueOf } from '#relight/protocol/header.js';
import { bytes, type Conversation } from '../conversation.js';
import { frameOf, type Happened, type Scripts, type Stage } from './playing.js';

const UNIQUE = 4000n;

/** Sends a request, and sends it again. */
const twice = (talk: Conversation, ...[name, fields, nodeid = 1n]: [...Parameters<Say>]): void => {
  talk.errno(name, fields, { nodeid, unique: UNIQUE });
  talk.errno(name, fields, { nodeid, unique: UNIQUE | UNIQUE_RESEND });
};
type Say = (name: 'WRITE' | 'RENAME2' | 'CREATE', fields: object, nodeid?: bigint) => void;

const O_APPEND = 0o2002;

const appends = (stage: Stage): Happened => {
  const talk = stage.start();
  const nodeid = talk.walk('empty');
  const { fh } = talk.ask('OPEN', { flags: O_APPEND }, { nodeid });
  twice(talk, 'WRITE', { fh, data: bytes('abc'), size: 3, flags: O_APPEND }, nodeid);
  return talk.contents(nodeid) === 'abc' ? 'clean' : 'twice';
};

const exchanges = (stage: Stage): Happened => {
  const talk = stage.start();
  const flags = RenameFlag.EXCHANGE;
  twice(talk, 'RENAME2', { oldname: 'hello.txt', newname: 'run.sh', newdir: 1n, flags });
  return talk.label(talk.walk('run.sh')) === 'hello.txt' ? 'clean' : 'twice';
};

const creates = (stage: Stage): Happened => {
  const talk = stage.start();
  const create = { name: 'new', mode: 0o600, flags: 2 };
  const { nodeid, fh } = talk.ask('CREATE', create, { unique: UNIQUE });
  talk.ask('WRITE', { fh, data: bytes('abc'), size: 3 }, { nodeid });
  talk.ask('CREATE', create, { unique: UNIQUE | UNIQUE_RESEND });
  return talk.contents(nodeid) === 'abc' ? 'clean' : 'twice';
};

const answered = (stage: Stage): Happened => {
  const talk = stage.start();
  const unique = UNIQUE | UNIQUE_RESEND;
  const [reply] = talk.memfs.engine.handle(frameOf(talk, 'GETATTR', {}, { unique }));
  return reply !== undefined && uniqueOf(reply) === unique ? 'clean' : 'malformed';
};

/** By bug. */
export const resendScripts: Scripts = {
  'resend-append': appends,
  'resend-exchange': exchanges,
  'resend-create': creates,
  'resend-aborts': answered,
  'resend-unique': answered,
};

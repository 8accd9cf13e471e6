/** Scripts that show the bugs of file handles. */

import { Fattr } from '#relight/protocol/flags.js';
import { bytes, type Conversation } from '../conversation.js';
import type { Happened, Scripts, Stage } from './playing.js';

const O_RDWR = 2;

const opened = (talk: Conversation, path: string) => {
  const nodeid = talk.walk(path);
  return { nodeid, fh: talk.ask('OPEN', { flags: O_RDWR }, { nodeid }).fh };
};

/** A handle of `hello.txt` of the first incarnation; in the second `run.sh` is open in its place, and `hello.txt` known. */
const swapped = (stage: Stage) => {
  const { fh } = opened(stage.start(), 'hello.txt');
  const talk = stage.start();
  const now = opened(talk, 'run.sh');
  return { fh, now, talk, nodeid: talk.walk('hello.txt') };
};

const readsAnother = (stage: Stage): Happened => {
  const { fh, talk, nodeid } = swapped(stage);
  return talk.errno('READ', { fh, offset: 0n, size: 10 }, { nodeid }) === 0 ? 'wrong-object' : 'clean';
};

/** Whether `run.sh` is as it was after something was done to `hello.txt`. */
const changesAnother =
  (change: (talk: Conversation, fh: bigint, nodeid: bigint) => unknown) =>
  (stage: Stage): Happened => {
    const { fh, now, talk, nodeid } = swapped(stage);
    change(talk, fh, nodeid);
    return talk.label(now.nodeid) === 'run.sh' ? 'clean' : 'wrong-object';
  };

const copiesOver = (talk: Conversation, fhOut: bigint, nodeidOut: bigint): void => {
  const { nodeid, fh } = opened(talk, 'coloured.txt');
  talk.errno('COPY_FILE_RANGE', { fhIn: fh, fhOut, nodeidOut, len: 10n }, { nodeid });
};

const closesAnother = (stage: Stage): Happened => {
  const { fh, now, talk, nodeid } = swapped(stage);
  talk.errno('RELEASE', { fh }, { nodeid });
  const read = talk.errno('READ', { fh: now.fh, offset: 0n, size: 10 }, { nodeid: now.nodeid });
  return read === 0 ? 'clean' : 'poison';
};

const nextHandle = (stage: Stage): Happened => {
  const talk = stage.start();
  const { nodeid, fh } = opened(talk, 'hello.txt');
  return talk.errno('READ', { fh: fh + 1n, offset: 0n, size: 10 }, { nodeid }) === 0
    ? 'wrong-object'
    : 'clean';
};

const listsFile = (stage: Stage): Happened => {
  const talk = stage.start();
  const { fh } = opened(talk, 'hello.txt');
  return talk.errno('READDIR', { fh, offset: 0n, size: 4096 }) === 0 ? 'wrong-object' : 'clean';
};

const readsDirectory = (stage: Stage): Happened => {
  const talk = stage.start();
  const { fh } = talk.ask('OPENDIR', {});
  return talk.errno('READ', { fh, offset: 0n, size: 4096 }) === 0 ? 'leak' : 'clean';
};

/** By bug. */
export const handleScripts: Scripts = {
  'read-stale-fh': readsAnother,
  'write-stale-fh': changesAnother((talk, fh, nodeid) =>
    talk.errno('WRITE', { fh, offset: 0n, data: bytes('hello'), size: 5 }, { nodeid }),
  ),
  'setattr-stale-fh': changesAnother((talk, fh, nodeid) =>
    talk.errno('SETATTR', { fh, valid: Fattr.SIZE | Fattr.FH, size: 0n }, { nodeid }),
  ),
  'copy-stale-fh-out': changesAnother(copiesOver),
  'release-stale-fh': closesAnother,
  'handle-off-by-one': nextHandle,
  'readdir-of-file-handle': listsFile,
  'read-of-directory-handle': readsDirectory,
};

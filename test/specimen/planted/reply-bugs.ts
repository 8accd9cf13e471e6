/** Scripts that show the bugs of replies. */

import type { OperationName } from '#relight/protocol/operations.js';
import { answerTo, frameOf, type Happened, type Scripts, type Stage } from './playing.js';

const NOBODY = 0x1234_5678_9abc_def0n;

/** Sends a request that is not about anything; a good reply to it is `good`. */
const refused =
  (name: OperationName, fields: object, good: Happened = 'wrong-object') =>
  (stage: Stage): Happened => {
    const talk = stage.start();
    const answer = answerTo(talk, frameOf(talk, name, fields, { nodeid: NOBODY }));
    if (answer === 'malformed') return 'malformed';
    return answer === 0 ? good : 'clean';
  };

/** Sends a request that takes no reply. */
const silent =
  (name: OperationName, fields: object) =>
  (stage: Stage): Happened => {
    const talk = stage.start();
    return answerTo(talk, frameOf(talk, name, fields, { nodeid: NOBODY })) === 'silence'
      ? 'clean'
      : 'malformed';
  };

/** By bug. */
export const replyScripts: Scripts = {
  'errno-out-of-range': refused('GETATTR', {}),
  'reply-twice': refused('OPEN', {}),
  'error-with-body': refused('GETATTR', {}),
  'reply-wrong-unique': refused('STATFS', {}),
  'forget-answered': silent('FORGET', { nlookup: 1n }),
  'interrupt-answered': silent('INTERRUPT', { unique: 4242n }),
  'getattr-unfilled': refused('GETATTR', {}, 'leak'),
  'read-freed': refused('READ', { fh: NOBODY, size: 64 }, 'leak'),
};

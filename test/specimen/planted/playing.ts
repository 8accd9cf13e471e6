/** Incarnations of a memfs with a planted bug or of its twin, and what happened in words of the verdicts. */

import { encodeRequest } from '#relight/protocol/encode.js';
import { errorOf, uniqueOf } from '#relight/protocol/header.js';
import type { OperationName } from '#relight/protocol/operations.js';
import { plantedMemfs } from '#relight/specimen/planted/planted.js';
import type { PlantedBug, UnsafeVerdict } from '#relight/specimen/planted/planted-bug.js';
import { Conversation, Died, fakePages, optionsWith } from '../conversation.js';

/** What a script saw. */
export type Happened = UnsafeVerdict | 'clean';

/** Starts incarnations of one server. */
export interface Stage {
  /** The next incarnation, after INIT; its memory lies elsewhere unless `sameBase`. */
  start(options?: { readonly sameBase?: boolean }): Conversation;
}

/** The incarnations of a bug, or of its twin. */
export const stageOf = (bug: PlantedBug, fixed: boolean): Stage => {
  let base = 0x1000_0000n;
  return {
    start: ({ sameBase = false } = {}) => {
      const { options, variation } = plantedMemfs(optionsWith(), { bug, fixed });
      if (!sameBase) base += 0x1000_0000n;
      const talk = new Conversation(options, { pages: fakePages(base), ...variation });
      talk.init();
      return talk;
    },
  };
};

/** Plays a kernel and tells what happened. */
export type Script = (stage: Stage) => Happened;

/** Scripts by the bug that they show. */
export type Scripts = Readonly<Record<string, Script>>;

/** Runs a script; a server that ends itself is an abort, one that misuses memory a crash. */
export const played = (script: Script, stage: Stage): Happened => {
  try {
    return script(stage);
  } catch (error) {
    if (!(error instanceof Died)) throw error;
    return error.message.startsWith('SIGSEGV') ? 'crash' : 'abort';
  }
};

/** The bytes of a request. */
export const frameOf = (
  talk: Conversation,
  name: OperationName,
  fields: object,
  { nodeid = 1n, unique = 1000n } = {},
): Uint8Array => encodeRequest({ name, header: { nodeid, unique }, fields }, talk.negotiated);

/** What a kernel would take as the one reply to a request: its errno, 0 for a good one; otherwise what is wrong with it. */
export const answerTo = (talk: Conversation, frame: Uint8Array): number | 'silence' | 'malformed' => {
  const messages = talk.memfs.engine.handle(frame);
  const [reply] = messages;
  if (reply === undefined) return 'silence';
  const error = errorOf(reply);
  const sound = messages.length === 1 && uniqueOf(reply) === uniqueOf(frame) && error <= 0 && error > -512;
  return sound && (error === 0 || reply.length === 16) ? -error : 'malformed';
};

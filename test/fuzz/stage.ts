/** A small file system as a recording, and the cast and seeds that come of it. */

import { rng } from '#relight/base/rng.js';
import { type Cast, castFrom } from '#relight/fuzz/cast.js';
import { type Seeds, seedsOf } from '#relight/fuzz/seeds.js';
import { lift } from '#relight/plan/lift.js';
import type { Plan } from '#relight/plan/plan.js';
import { type Negotiated, newestNegotiated } from '#relight/protocol/negotiated.js';
import { Conversation, DIRECTORY, FILE } from '../plan/conversation.js';

export const SYMLINK = 0o120777;
export const PIPE = 0o010600;

/** Looks up eight files, three directories with two files each, three links and a pipe, reads one file and removes one. */
export const recorded = (session: Negotiated = newestNegotiated): Plan => {
  const talk = new Conversation(session);
  let nodeid = 100n;
  const lookup = (parent: bigint, name: string, mode: number): bigint => {
    nodeid += 1n;
    talk.lookup(parent, name, { nodeid, attr: { mode, size: 5n, ino: nodeid } });
    return nodeid;
  };
  const files = Array.from({ length: 8 }, (_, index) => lookup(1n, `f${index}`, FILE));
  for (let index = 0; index < 3; index++) {
    const directory = lookup(1n, `d${index}`, DIRECTORY);
    lookup(directory, 'inner', FILE);
    lookup(directory, `own${index}`, FILE);
    lookup(1n, `l${index}`, SYMLINK);
  }
  lookup(1n, 'pipe', PIPE);
  const [first = 0n] = files;
  talk.exchange('OPEN', first, { flags: 2 }, { fh: 7n });
  talk.exchange('READ', first, { fh: 7n, size: 4096 }, { data: Buffer.from('hello') });
  talk.exchange('WRITE', first, { fh: 7n, data: Buffer.from('world') }, { size: 5 });
  talk.exchange('RELEASE', first, { fh: 7n }, {});
  lookup(1n, 'gone', FILE);
  talk.exchange('UNLINK', 1n, { name: 'gone' }, {});
  return lift(talk.recording, { negotiated: session });
};

export interface Stage {
  readonly plan: Plan;
  readonly cast: Cast;
  readonly seeds: Seeds;
}

export const stageOf = (session?: Negotiated): Stage => {
  const plan = recorded(session);
  const cast = castFrom(plan);
  return { plan, cast, seeds: seedsOf(plan, cast, rng(1)) };
};

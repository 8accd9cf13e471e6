/**
 * Requests that a kernel sends again after its server was restarted (FUSE_NOTIFY_RESEND): with bit 63 in their unique, done
 * already or not.
 */

import type { Rng } from '../../../base/rng.js';
import { aimAt, type Life, meantBy, patchesOf } from '../../aim.js';
import type { CaseRequest, Relation } from '../../case.js';
import type { Cast } from '../../cast.js';
import { plainRequest, preparation } from '../../companions.js';
import type { Mutator } from '../../mutator.js';
import type { Seed } from '../../seed.js';

const family = 'sequence';

interface Resending {
  readonly requests: CaseRequest[];
  readonly meant: readonly number[];
  readonly relation: Relation;
}

/** The preparation and the request itself, by the ids of a life. */
const started = (seed: Seed, cast: Cast, rng: Rng, lives: readonly Life[]): Resending | undefined => {
  for (const life of lives) {
    const aim = aimAt(seed, { cast, life, rng });
    if (aim === undefined) continue;
    const prepared = preparation(seed, aim, cast, rng);
    const request = plainRequest(seed, patchesOf(seed, aim, life));
    const relation = life === 'live' || aim.length === 0 ? 'good' : 'stale';
    return { requests: [...prepared, request], meant: meantBy(aim, life), relation };
  }
  return undefined;
};

interface Row extends Omit<Mutator, 'make' | 'family'> {
  readonly lives: readonly Life[];
  /** Whether the request is good for this. */
  readonly takes: (seed: Seed) => boolean;
  /** What is sent in place of the last of the requests, which is the one in question. */
  readonly send: (request: CaseRequest, index: number) => readonly CaseRequest[];
}

const sequence = ({ lives, takes, send, ...row }: Row): Mutator => ({
  ...row,
  family,
  make: (seed, cast, rng) => {
    const start = takes(seed) ? started(seed, cast, rng, lives) : undefined;
    const request = start?.requests.pop();
    if (start === undefined || request === undefined) return undefined;
    const requests = [...start.requests, ...send(request, start.requests.length)];
    const { meant, relation } = start;
    return { mutator: row.name, relation, op: seed.op.name, requests, wrong: requests.length - 1, meant };
  },
});

const isAnswered = ({ op }: Seed): boolean => op.replyRule === 'always';
const changes = (seed: Seed): boolean => isAnswered(seed) && seed.op.effect !== 'none';

/** Mutators that send again. */
export const resending: readonly Mutator[] = [
  sequence({
    name: 'sequence.resend-done',
    weight: 5,
    why: 'the server was killed after it had done the request and before it had answered',
    sendable: true,
    lives: ['live'],
    takes: changes,
    send: (request, index) => [request, { ...request, resent: true, repeats: index }],
  }),
  sequence({
    name: 'sequence.resend-undone',
    weight: 3,
    why: 'the server was killed before it had done the request, which must be done now',
    sendable: true,
    lives: ['live'],
    takes: changes,
    send: (request) => [{ ...request, resent: true }],
  }),
  sequence({
    name: 'sequence.resend-stale',
    weight: 6,
    why: 'a request that was under way when the server was killed has the ids of the server that is dead',
    sendable: true,
    lives: ['old'],
    takes: (seed) => isAnswered(seed) && seed.sites.length > 0,
    send: (request) => [{ ...request, resent: true }],
  }),
  sequence({
    name: 'sequence.duplicate',
    weight: 2,
    why: 'two requests with one unique get two answers, of which the second answers nothing',
    sendable: false,
    lives: ['live', 'old'],
    takes: isAnswered,
    send: (request, index) => [request, { ...request, repeats: index }],
  }),
];

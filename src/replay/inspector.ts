/**
 * Looks at a running incarnation past the virtual kernel: finds objects by their names with ids that this incarnation hands
 * out, opens them, and reads their states, now and again later. What it holds is what a stale id must not break; the oracle
 * says whether it did.
 */

import { Errno } from '../base/errno.js';
import type { Rng } from '../base/rng.js';
import { DIRECTORY, fingerprintOf } from '../oracle/fingerprint.js';
import { decodeReply, decodeRequest } from '../protocol/decode.js';
import { encodeRequest } from '../protocol/encode.js';
import { errorOf } from '../protocol/header.js';
import type { Negotiated } from '../protocol/negotiated.js';
import type { AskOptions } from './asking.js';
import type { DriveEnd } from './driver.js';
import {
  type Answer,
  type LiveObject,
  lookup,
  open,
  type Script,
  type Sighting,
  type SightOptions,
  sight,
} from './sighting.js';

/** What a new incarnation has looked up and opened before old ids are used. */
export const relookups = ['none', 'same', 'shuffled', 'shuffled+open'] as const;
/** See `relookups`. */
export type Relookup = (typeof relookups)[number];

/** Who answers: a driver. */
export interface Asked {
  readonly kernel: { readonly negotiated: Negotiated };
  askAll(requests: readonly Uint8Array[], options?: AskOptions): Promise<(Uint8Array | DriveEnd)[]>;
}

/** The root, which needs no lookup. */
export const root: LiveObject = { path: '', nodeid: 1n, scalars: { type: DIRECTORY }, fh: undefined };

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));
const depthOf = (path: string): number => path.split('/').length;

/** Paths by how deep they lie; those of one level in the wanted order. */
const levelsOf = (paths: readonly string[], how: Relookup, rng: Rng): string[][] => {
  const ordered = how === 'same' ? paths : rng.shuffle(paths);
  const depths = [...new Set(ordered.map(depthOf))].sort((a, b) => a - b);
  return depths.map((depth) => ordered.filter((path) => depthOf(path) === depth));
};

/** Questions to one incarnation. */
export class Inspector {
  readonly #server: Asked;
  readonly #negotiated: Negotiated;

  constructor(server: Asked) {
    this.#server = server;
    this.#negotiated = server.kernel.negotiated;
  }

  /**
   * Looks paths up (as in `LiveObject.path`) and opens them if wanted, one after the other, as the order decides which numbers
   * the server gives. Gives the root and what was found, parents first; the server may die of it.
   */
  async look(paths: readonly string[], how: Relookup, rng: Rng): Promise<LiveObject[]> {
    const found = new Map([[root.path, root]]);
    for (const level of how === 'none' ? [] : levelsOf(paths, how, rng)) {
      const scripts = level.flatMap((path) => {
        const parent = found.get(parentOf(path));
        return parent === undefined ? [] : [lookup(parent.nodeid, path)];
      });
      for (const object of await this.#play(scripts, 1))
        if (object !== undefined) found.set(object.path, object);
    }
    const [, ...objects] = found.values();
    return [root, ...(how === 'shuffled+open' ? await this.#play(objects.map(open), 1) : objects)];
  }

  /** Looks at objects by the ids that they were given, all of them together. */
  read(objects: readonly LiveObject[], options: SightOptions = {}): Promise<Sighting[]> {
    return this.#play(objects.map((object) => sight(object, options)));
  }

  /** Whether the server still answers for its root. */
  async isAlive(): Promise<boolean> {
    const draft = { name: 'GETATTR', header: { unique: 0n, nodeid: root.nodeid } } as const;
    const [answer] = await this.#server.askAll([encodeRequest(draft, this.#negotiated)]);
    return answer instanceof Uint8Array;
  }

  /** Plays scripts side by side, one question of each at a time; gives what they return. */
  async #play<T>(scripts: readonly Script<T>[], depth?: number): Promise<T[]> {
    const results: T[] = [];
    let running = scripts.map((script, index) => ({ script, index, turn: script.next() }));
    for (;;) {
      for (const { index, turn } of running) if (turn.done === true) results[index] = turn.value;
      running = running.filter(({ turn }) => turn.done !== true);
      if (running.length === 0) return results;
      const requests = running.map(({ turn }) =>
        turn.done === true ? nothing : encodeRequest(turn.value, this.#negotiated),
      );
      const answers = await this.#server.askAll(requests, depth === undefined ? {} : { depth });
      for (const [at, one] of running.entries())
        one.turn = one.script.next(this.#answer(requests[at] ?? nothing, answers[at]));
    }
  }

  #answer(request: Uint8Array, answer: Uint8Array | DriveEnd | undefined): Answer {
    if (!(answer instanceof Uint8Array)) return { kind: answer?.kind === 'hang' ? 'silence' : 'ended' };
    const error = errorOf(answer);
    if (error !== 0) return { kind: 'error', errno: -error };
    const asked = decodeRequest(request, this.#negotiated);
    const reply = asked.kind === 'request' ? decodeReply(answer, asked, this.#negotiated) : asked;
    if (asked.kind !== 'request' || reply.kind !== 'reply') return { kind: 'error', errno: Errno.EIO };
    return { kind: 'good', reply, told: fingerprintOf(asked, reply) };
  }
}

const nothing = new Uint8Array(0);

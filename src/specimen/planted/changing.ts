/** The two simplest ways in which a server differs from its twin: other handlers, or other bytes in and out. */

import type { Engine } from '../engine/engine.js';
import type { Handlers } from '../engine/handler.js';
import type { World } from '../memfs.js';
import type { Parts } from './planted-bug.js';

/** Some handlers are others unless it is fixed. */
export const withHandlers = (
  fixed: boolean,
  change: (handlers: Handlers, world: World) => Partial<Handlers>,
): Partial<Parts> =>
  fixed ? {} : { wrapHandlers: (handlers, world) => ({ ...handlers, ...change(handlers, world) }) };

/** Does something with the bytes of a request and the messages that answer it. */
export type Meddling = (request: Uint8Array, next: Engine['handle']) => readonly Uint8Array[];

/** Somebody meddles with the messages unless it is fixed. */
export const withMessages = (fixed: boolean, meddle: (world: World) => Meddling): Partial<Parts> =>
  fixed
    ? {}
    : {
        wrapEngine: (engine, world) => {
          const meddling = meddle(world);
          return { handle: (request) => meddling(request, engine.handle) };
        },
      };

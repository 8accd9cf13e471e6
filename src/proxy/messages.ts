/** What the session, the relay's thread and the trace writer's thread tell each other. Descriptors are plain numbers. */

import type { InitExchange } from './init-duties.js';
import type { RingMemory } from './ring.js';

/** What the relay is started with. */
export interface RelayOptions {
  /** Shared with the trace writer. */
  readonly ring: RingMemory;
  /** Wakes the relay after a message was posted to it. */
  readonly wakeFd: number;
  /** Processors for the relay's thread; `undefined` for all. */
  readonly cpus: readonly number[] | undefined;
  /** Give frames up instead of waiting when the trace writer cannot keep up. */
  readonly drop: boolean;
}

/** What the relay stands between. */
export interface RelaySides {
  readonly device: number;
  readonly channel: number;
  /** Largest message that the channel passes, in bytes. */
  readonly maxMessage: number;
}

/** To the relay. */
export type ToRelay =
  /** Both sides are open: the device of the mount and our end of the channel. The relay closes them. */
  | ({ readonly kind: 'connect' } & RelaySides)
  /** End of the session: stop, close both sides, close the ring. */
  | { readonly kind: 'stop' };

/** From the relay. */
export type FromRelay =
  | { readonly kind: 'init'; readonly exchange: InitExchange; readonly timeNs: bigint }
  /** The file system was unmounted or its connection aborted. */
  | { readonly kind: 'unmounted' }
  /** Every process of the server closed its end. */
  | { readonly kind: 'serverGone' }
  | { readonly kind: 'stopped'; readonly counts: RelayCounts };

/** Places in the state that the relay shares with its writer of notifications. */
export const NotificationState = { ready: 0, posted: 1, done: 2, result: 3, closed: 4 } as const;

/** What the writer of notifications is started with; the notifications come as messages, counted in `posted`. */
export interface NotificationThread {
  readonly device: number;
  /** Indexed by `NotificationState`. */
  readonly state: Int32Array;
}

/** What crossed the relay. Frames that were dropped from the trace are counted here too. */
export interface RelayCounts {
  readonly requests: number;
  readonly replies: number;
  readonly notifications: number;
  readonly bytes: number;
  /** Replies and notifications that the kernel refused, by errno. ENOENT is normal: the request had been given up. */
  readonly refused: Readonly<Record<string, number>>;
  /** Frames that were forwarded but are not in the trace. */
  readonly dropped: number;
}

/** What the session and the trace writer's thread tell each other. */

import type {
  EndFacts,
  InitFacts,
  MapsFacts,
  MountFacts,
  StartFacts,
  TraceContext,
} from '../trace/context.js';
import type { WriterStatus } from '../trace/writer.js';
import type { RingMemory } from './ring.js';

/** What the trace writer's thread is started with. */
export interface TeeOptions {
  readonly path: string;
  readonly context: TraceContext;
  readonly ring: RingMemory;
  /** Bytes of a file after which the next one is begun; `undefined` for one file. */
  readonly rotateBytes: number | undefined;
  /** Compression of blocks. */
  readonly codec: 'brotli' | 'deflate' | 'none';
}

/** To the trace writer. */
export type ToTee =
  | { readonly kind: 'start'; readonly facts: StartFacts }
  | { readonly kind: 'mount'; readonly facts: MountFacts }
  | { readonly kind: 'init'; readonly facts: InitFacts }
  | { readonly kind: 'maps'; readonly facts: MapsFacts }
  | { readonly kind: 'end'; readonly facts: EndFacts }
  /** Write what the ring still holds, and close; the ring's producer has closed it. */
  | { readonly kind: 'close' };

/** From the trace writer. */
export type FromTee =
  | { readonly kind: 'opened' }
  /** The trace cannot be written; nothing was recorded. */
  | { readonly kind: 'refused'; readonly code: 'usage' | 'environment' | 'server'; readonly message: string }
  /** About once a second. */
  | { readonly kind: 'progress'; readonly status: WriterStatus }
  /** Ids came by that no mapping known so far explains. */
  | { readonly kind: 'wantMaps' }
  /** Nothing more can be written; frames are taken and thrown away, so that the mount goes on. */
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'closed'; readonly status: WriterStatus };

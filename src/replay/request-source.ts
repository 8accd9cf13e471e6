/** What a driver drives: requests as they may be sent, and an ear for what becomes of them. */

import type { Command } from '../kernel/conversation.js';

/** Where requests come from, and who is told what became of them. */
export interface RequestSource {
  /** The next request that may be sent now; `undefined` when there is none, now or for ever. */
  next():
    | { readonly bytes: Uint8Array; readonly tag: number; readonly minted?: number | undefined }
    | undefined;
  /** True when nothing more will come and nothing that came is waited for. */
  isDone(): boolean;
  /** Told every command of the kernel except `send`. */
  hear(command: Command): void;
  /** Milliseconds until `next` may have something although nothing is received meanwhile; `undefined` when it never will. */
  due?(): number | undefined;
}

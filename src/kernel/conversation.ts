/** What goes into the virtual kernel and what comes out: events and commands, plain data without behaviour. */

import type { NodeId } from '../base/ids.js';
import type { Negotiated } from '../protocol/negotiated.js';
import type { NotificationName } from '../protocol/notifications.js';
import type { Operation } from '../protocol/operations.js';
import type { Refusal } from './refusal.js';
import type { Strategy } from './strategies/strategy.js';
import type { Tally } from './tally.js';

/** Something that happened. Bytes that go in belong to the kernel from then on: uniques are written into them. */
export type KernelEvent =
  /** The mount begins: INIT is to be sent. */
  | { readonly kind: 'mount' }
  /**
   * A system call needs this request. `tag` comes back with the reply. `minted` is the incarnation that gave the node in
   * the header, where the caller knows it: after a restart the same number may mean two nodes. INTERRUPT is for the request
   * whose unique its body has; NOTIFY_REPLY keeps the unique in its header.
   */
  | {
      readonly kind: 'request';
      readonly bytes: Uint8Array;
      readonly tag: number;
      readonly minted?: number | undefined;
      /** Send it whatever the kernel would do: stale-id fuzzing. */
      readonly force?: boolean;
    }
  /** A request that the real kernel sent, unique and all: ids are followed and nothing is sent. */
  | { readonly kind: 'seen'; readonly bytes: Uint8Array; readonly tag: number }
  /** The server wrote this. */
  | { readonly kind: 'message'; readonly bytes: Uint8Array }
  /** The caller of a request got a signal. */
  | { readonly kind: 'interrupt'; readonly unique: number }
  /** The server is gone; what it had read stays unanswered. */
  | { readonly kind: 'died' }
  /** A new server is there: INIT is to be sent to it, and the strategy to be followed. Without one, only ids are followed. */
  | { readonly kind: 'restarted'; readonly strategy?: Strategy }
  /** The recovery may send up to `room` messages more. */
  | { readonly kind: 'pull'; readonly room: number }
  /** Memory is short: let go of these nodes if nothing needs them, of all that nothing needs without a list. */
  | { readonly kind: 'shrink'; readonly nodes?: readonly NodeId[] };

/** Why something is sent. */
export type Cause =
  | 'init'
  | 'request'
  | 'forget'
  | 'release'
  | 'interrupt'
  | 'resend'
  | 'notifyReply'
  | 'recovery';

/** Write these bytes to the server. */
export interface Send {
  readonly kind: 'send';
  readonly bytes: Uint8Array;
  /** Without the marks of bits 0 and 63. */
  readonly unique: number;
  /** Whether a reply is to come. */
  readonly awaits: boolean;
  readonly cause: Cause;
  /** Tag of the request that it belongs to; `undefined` for the kernel's own. */
  readonly tag: number | undefined;
}

/** A request got its reply. */
export interface Replied {
  readonly kind: 'replied';
  readonly tag: number;
  readonly unique: number;
  /** Absent for an opcode that the tables do not know. */
  readonly operation: Operation | undefined;
  readonly request: Uint8Array;
  readonly reply: Uint8Array;
  /** What the application sees: 0 or a positive errno. */
  readonly errno: number;
  /** Why the kernel does not take the reply, when it does not. */
  readonly refusal: Refusal | undefined;
  /** Rows of the node and the open file that the reply gave. */
  readonly node: number | undefined;
  readonly file: number | undefined;
}

/** The server wrote something that ends no request. */
export interface Rejected {
  readonly kind: 'rejected';
  readonly bytes: Uint8Array;
  /** Tag of the request that was meant and goes on waiting, where the unique tells. */
  readonly tag: number | undefined;
  readonly refusal: Refusal;
}

/** A request is not sent: the kernel refuses it, or the strategy keeps it back. */
export interface Withheld {
  readonly kind: 'withheld';
  readonly tag: number;
  readonly request: Uint8Array;
  /** What the application sees. */
  readonly errno: number;
  /** Kernel function or strategy that decided so. */
  readonly by: string;
  /** Row of the file that an OPEN gave all the same, because the server does not implement it. */
  readonly file: number | undefined;
}

/** Requests that the dead server had, and what their callers see: nothing for ever (`hang`), or an errno. */
export interface Abandoned {
  readonly kind: 'abandoned';
  readonly tags: readonly number[];
  readonly outcome: 'hang' | { readonly errno: number };
}

/** A notification was carried out; `errno` is what the server's write gave, positive, or 0. */
export interface Notified {
  readonly kind: 'notified';
  readonly name: NotificationName;
  readonly errno: number;
  /** Poll handle that was woken. */
  readonly kh: bigint | undefined;
}

/** INIT was answered. */
export interface Connected {
  readonly kind: 'connected';
  readonly negotiated: Negotiated;
  /**
   * What a restarted server answered otherwise than the first one: fields of `Negotiated` by name. The kernel never learns,
   * it goes on with what was settled first.
   */
  readonly differs: readonly (keyof Negotiated)[];
}

/** INIT was answered in a way that ends the connection; `errno` is the server's own error, 0 when it sent none. */
export interface Disconnected {
  readonly kind: 'disconnected';
  readonly refusal: Refusal;
  readonly errno: number;
}

/** A node's path now leads to another node, or to the same one under another nodeid: bindings have to follow. */
export interface Moved {
  readonly kind: 'moved';
  readonly from: NodeId;
  /** Incarnation that had given `from`. */
  readonly minted: number;
  readonly to: NodeId;
}

/** The recovery has nothing more to send; what is looked at on next use still goes on counting in the tally. */
export interface Recovered {
  readonly kind: 'recovered';
  readonly tally: Tally;
}

/** What is to be done, or to be known. */
export type Command =
  | Send
  | Replied
  | Rejected
  | Withheld
  | Abandoned
  | Notified
  | Connected
  | Disconnected
  | Moved
  | Recovered;

/**
 * The columns of the operation table: what each one means and which values it can take. The rows are in
 * `operations.ts` and `notifications.ts`.
 */

import type { Condition, Part } from './parts.js';

/** Which message of an exchange. */
export type Side = 'request' | 'reply' | 'notification';

/**
 * What a number names. `node`, `handle` and `cookie` (a directory position) are minted by the server, `owner`, `unique`
 * and `kh` (a poll handle) by the kernel; only the unique of NOTIFY_RETRIEVE is the server's.
 */
export type IdKind = 'node' | 'handle' | 'cookie' | 'owner' | 'unique' | 'kh';

/** What a message does with an id: mints it, relies on it, or ends it. */
export type IdAct = 'create' | 'use' | 'release';

/** Types of objects that operations tell apart; `file` is a regular one, since the VFS opens special files by itself. */
export type ObjectType = 'file' | 'directory' | 'symlink';

/** A field that holds an id. The unique that every request and reply carries in its header is not listed. */
export interface IdUse {
  readonly side: Side;
  /** Whether `field` is one of the header or of the decoded fields. */
  readonly part: 'header' | 'body';
  readonly kind: IdKind;
  readonly act: IdAct;
  /** Field that holds it; within each item of `each` when there is one. */
  readonly field: string;
  /** The field counts only when this holds (a flag of the same message). */
  readonly when?: Condition;
  /** Repeated field whose items each hold one. */
  readonly each?: string;
  /** Field with the number of lookups that a FORGET gives back; a `create` of a node counts one. */
  readonly count?: string;
  /** Value that means that there is no id, such as nodeid 0 in an entry. */
  readonly none?: bigint;
  /** Names whose records never count: the kernel takes no lookup for them (fuse_direntplus_link, fs/fuse/readdir.c). */
  readonly exceptNames?: readonly string[];
  /** Type that the kernel makes sure a node has; absent where any will do. */
  readonly type?: ObjectType;
  /** Field with the generation that makes a node id unique over time. */
  readonly generation?: string;
}

/** What `header.nodeid` of a request names. */
export type HeaderNode = 'node' | 'parent' | 'oldParent' | 'newParent' | 'source' | 'root' | 'unused';

/** Whether the kernel waits for a reply: `optional` is INTERRUPT, which is answered only with an error. */
export type ReplyRule = 'always' | 'never' | 'optional';

/** Most bytes for which the kernel makes room in the last part of a reply: as the request's field says, or a number. */
export type ReplyRoom = { readonly field: string; readonly atLeast?: number } | { readonly bytes: number };

/**
 * What a request changes, so that doing it twice or out of order could be seen. `handle` opens or closes, `count` gives
 * lookups back, `session` begins or ends the connection, `unknown` is up to the server (IOCTL).
 */
export type Effect =
  | 'none'
  | 'data'
  | 'name'
  | 'attr'
  | 'xattr'
  | 'lock'
  | 'handle'
  | 'count'
  | 'session'
  | 'unknown';

/** Why a field may differ between two incarnations that both behave well. */
export const compareReasons = {
  time: 'times come from the clock of the run',
  inode: 'inode numbers belong to the backing store, or are counted up by an in-memory server',
  generation: 'the generation goes with the nodeid, which the server may choose anew',
  space: 'free space and allocated blocks belong to the disk beneath',
  cookie: 'positions in a directory belong to the server that gave them',
  order: 'a directory has no order of its own',
  directory: 'size and link count of a directory depend on the file system beneath',
  process: 'process numbers belong to the run',
  device: 'device numbers belong to the machine',
  backing: 'backing ids are numbers of one connection',
  padding: 'reserved bytes carry nothing',
} as const;

/** Key of a reason. */
export type CompareReason = keyof typeof compareReasons;

/**
 * How a field of a reply is compared with the recorded one. Fields without a rule must be equal; ids (see `IdUse`) are
 * translated first and are never listed here.
 */
export interface CompareRule {
  /** `ignore`: any value will do. `unordered`: the same items in any order. */
  readonly how: 'ignore' | 'unordered';
  /** Dotted path; within each item of `each` when there is one. */
  readonly field: string;
  readonly each?: string;
  /** Holds only when this does, on the recorded reply. */
  readonly when?: Condition;
  readonly why: CompareReason;
}

/** What a row of the operation table says. */
export interface OperationRow {
  readonly opcode: number;
  /** First minor of protocol 7 that has it. */
  readonly sinceMinor: number;
  readonly header: HeaderNode;
  readonly request: readonly Part[];
  /** Body of a good reply; `undefined` when there is never a reply. */
  readonly reply: readonly Part[] | undefined;
  readonly replyRule: ReplyRule;
  /** Where the last part of a good reply may be shorter than its most (`out_argvar`, fs/fuse); else its size is fixed. */
  readonly replyRoom?: ReplyRoom;
  readonly ids: readonly IdUse[];
  readonly effect: Effect;
  readonly compare: readonly CompareRule[];
  /** The kernel may add extensions (security context, groups); minors 36 and 37 did not say so in the header. */
  readonly extended?: true;
}

/** What a row of the notification table says. */
export interface NotificationRow {
  readonly code: number;
  /** First minor of protocol 7 that has it. */
  readonly sinceMinor: number;
  readonly body: readonly Part[];
  readonly ids: readonly IdUse[];
}

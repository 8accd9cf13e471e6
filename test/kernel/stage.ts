/** A scripted conversation with the virtual kernel: requests by name, replies by fields, and what came out of it. */

import type { Command, KernelEvent } from '#relight/kernel/conversation.js';
import { strategyNamed } from '#relight/kernel/strategies/registry.js';
import { VirtualKernel, type VirtualKernelOptions } from '#relight/kernel/virtual-kernel.js';
import { decodeRequest } from '#relight/protocol/decode.js';
import {
  encodeError,
  encodeNotification,
  encodeReply,
  encodeRequest,
  type NotificationDraft,
  type ReplyDraft,
  type RequestDraft,
} from '#relight/protocol/encode.js';
import { type Negotiated, newestNegotiated } from '#relight/protocol/negotiated.js';
import type { NotificationName } from '#relight/protocol/notifications.js';
import type { OperationName } from '#relight/protocol/operations.js';

export const S_IFDIR = 0o040000;
export const S_IFREG = 0o100000;

type Of<K extends Command['kind']> = Extract<Command, { kind: K }>;
export type Sent = Of<'send'>;

/** One kernel and a server played by hand. */
export class Stage {
  readonly kernel: VirtualKernel;
  readonly session: Negotiated;
  #tag = 0;

  constructor(options: Partial<VirtualKernelOptions> = {}) {
    this.session = options.negotiated ?? newestNegotiated;
    this.kernel = new VirtualKernel({ letGo: 'automatic', negotiated: this.session, ...options });
  }

  do(event: KernelEvent): readonly Command[] {
    return this.kernel.handle(event);
  }

  /** The application asks; gives all commands. */
  ask<N extends OperationName>(
    name: N,
    nodeid: bigint,
    fields?: RequestDraft<N>['fields'],
    minted?: number,
  ): readonly Command[] {
    const draft = { name, header: { unique: 0n, nodeid }, fields } as RequestDraft<N>;
    const bytes = encodeRequest(draft, this.session);
    return this.do({ kind: 'request', bytes, tag: ++this.#tag, ...(minted === undefined ? {} : { minted }) });
  }

  /** A good reply to something that was sent. */
  answer<N extends OperationName>(sent: Sent, name: N, fields?: ReplyDraft<N>['fields']): readonly Command[] {
    const request = decodeRequest(sent.bytes, this.session);
    const context = request.kind === 'request' ? request : undefined;
    const unique = request.kind === 'request' ? BigInt(request.header.unique) : 0n;
    const draft = { name, header: { unique }, fields } as ReplyDraft<N>;
    return this.do({ kind: 'message', bytes: encodeReply(draft, context, this.session) });
  }

  fail(sent: Sent, errno: number): readonly Command[] {
    const request = decodeRequest(sent.bytes, this.session);
    const unique = request.kind === 'request' ? BigInt(request.header.unique) : 0n;
    return this.do({ kind: 'message', bytes: encodeError(unique, -errno) });
  }

  /** A request and its good reply at once. */
  both<N extends OperationName>(
    name: N,
    nodeid: bigint,
    fields: RequestDraft<N>['fields'],
    reply: ReplyDraft<N>['fields'],
  ): readonly Command[] {
    return this.answer(only(this.ask(name, nodeid, fields), 'send'), name, reply);
  }

  lookup(parent: bigint, name: string, nodeid: bigint, more: Entry = {}): readonly Command[] {
    return this.both('LOOKUP', parent, { name }, entry(nodeid, more));
  }

  notify<N extends NotificationName>(name: N, fields?: NotificationDraft<N>['fields']): readonly Command[] {
    return this.do({
      kind: 'message',
      bytes: encodeNotification({ name, fields } as NotificationDraft<N>, this.session),
    });
  }

  /** Dies and comes back; gives what `pull` sends once INIT is answered. */
  restart(strategy: string, room = 1000): readonly Command[] {
    this.do({ kind: 'died' });
    const init = only(this.do({ kind: 'restarted', strategy: strategyNamed(strategy) }), 'send');
    const { minor, maxReadahead } = this.session;
    this.answer(init, 'INIT', { major: 7, minor, maxReadahead, maxWrite: 131072 });
    return this.do({ kind: 'pull', room });
  }
}

/** What an entry may say besides its nodeid. */
export interface Entry {
  readonly generation?: bigint;
  readonly mode?: number;
  readonly size?: bigint;
}

/** Fields of a `fuse_entry_out`; a regular file unless told otherwise. */
export const entry = (
  nodeid: bigint,
  { generation = 0n, mode = S_IFREG | 0o644, size = 0n }: Entry = {},
) => ({
  nodeid,
  generation,
  attr: { ino: nodeid, mode, size, nlink: 1 },
});

/** The commands of one kind. */
export const all = <K extends Command['kind']>(commands: readonly Command[], kind: K): Of<K>[] =>
  commands.filter((command): command is Of<K> => command.kind === kind);

/** The one command of a kind. */
export const only = <K extends Command['kind']>(commands: readonly Command[], kind: K): Of<K> => {
  const [first, ...more] = all(commands, kind);
  if (first === undefined || more.length > 0) {
    throw new Error(`${all(commands, kind).length} commands ${kind} among ${commands.map((c) => c.kind)}`);
  }
  return first;
};

/** What was sent, as text: `FORGET 2*1`. */
export const sentAs = (commands: readonly Command[], session = newestNegotiated): string[] =>
  all(commands, 'send').map(({ bytes }) => {
    const request = decodeRequest(bytes, session);
    if (request.kind === 'decodeError') return 'undecodable';
    if (request.name === 'BATCH_FORGET') {
      const items = request.fields.items.map(({ nodeid, nlookup }) => `${nodeid}*${nlookup}`);
      return `BATCH_FORGET ${items.join(' ')}`;
    }
    if (request.name === 'FORGET') return `FORGET ${request.header.nodeid}*${request.fields.nlookup}`;
    if (request.name === 'LOOKUP') return `LOOKUP ${request.header.nodeid}/${request.fields.name}`;
    return `${request.name} ${request.header.nodeid}`;
  });

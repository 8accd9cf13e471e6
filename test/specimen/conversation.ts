/** Plays a kernel's part to an engine: requests by name and fields, replies decoded. No channel, no process, no clock. */

import type { NodeId } from '#relight/base/ids.js';
import { nodeId } from '#relight/base/ids.js';
import {
  type DecodedNotification,
  type DecodedReply,
  decodeNotification,
  decodeReply,
  decodeRequest,
} from '#relight/protocol/decode.js';
import { type Draft, encodeRequest } from '#relight/protocol/encode.js';
import { InitFlag } from '#relight/protocol/flags.js';
import { isNotification, uniqueOf } from '#relight/protocol/header.js';
import { type Negotiated, negotiatedFrom, newestNegotiated } from '#relight/protocol/negotiated.js';
import type { OperationName, ReplyFields, RequestFields } from '#relight/protocol/operations.js';
import type { Pages } from '#relight/specimen/ids/heap.js';
import { type Memfs, type MemfsVariation, makeMemfs } from '#relight/specimen/memfs.js';
import { type MemfsOptions, memfsOptionsFrom, memfsOptionTable } from '#relight/specimen/options.js';

const defaults = Object.fromEntries(
  Object.entries(memfsOptionTable).flatMap(([name, spec]) =>
    'default' in spec ? [[name, spec.default]] : [],
  ),
);

/** Options as the command line would give them. */
export const optionsWith = (given: Readonly<Record<string, unknown>> = {}): MemfsOptions =>
  memfsOptionsFrom({ ...defaults, ...given }, '/nowhere');

/** Bytes of a text. */
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What the server ends itself with in tests, in place of SIGABRT. */
export class Died extends Error {}

/** Memory in place of real memory: a read of what was never mapped is the SIGSEGV. */
export const fakePages = (base: bigint): Pages => {
  const words = new Map<bigint, bigint>();
  let end = base;
  const check = (address: bigint): void => {
    if (address < base || address >= end) throw new Died(`SIGSEGV at ${address}`);
  };
  return {
    map: (length) => {
      const start = end;
      end += BigInt(length);
      return start;
    },
    readU64: (address) => {
      check(address);
      return words.get(address) ?? 0n;
    },
    writeU64: (address, value) => {
      check(address);
      words.set(address, value);
    },
  };
};

/** How one request is sent. */
export interface Sending {
  readonly nodeid?: bigint;
  readonly unique?: bigint;
  readonly uid?: number;
}

/** What the server said to one request. */
export interface Said {
  /** Its reply; `undefined` when there was none (yet). */
  readonly reply: DecodedReply | undefined;
  /** Replies to requests that waited, as `[unique, error]`. */
  readonly late: readonly (readonly [bigint, number])[];
  readonly notifications: readonly DecodedNotification[];
}

/** One incarnation and the kernel's half of talking to it. */
export class Conversation {
  readonly memfs: Memfs;
  negotiated: Negotiated = newestNegotiated;
  #unique = 2n;

  constructor(options: MemfsOptions, variation: Partial<MemfsVariation> = {}) {
    let seconds = 2_000_000_000n;
    this.memfs = makeMemfs(options, {
      now: () => ({ sec: seconds++, nsec: 0 }),
      pages: fakePages(0x1000_0000n),
      die: (message) => {
        throw new Died(message);
      },
      ...variation,
    });
  }

  /** Everything that the server says to a request. */
  say<N extends OperationName>(name: N, fields: Draft<RequestFields<N>>, sending: Sending = {}): Said {
    this.#unique += 2n;
    const header = {
      unique: sending.unique ?? this.#unique,
      nodeid: sending.nodeid ?? 1n,
      uid: sending.uid ?? 0,
    };
    const frame = encodeRequest({ name, header, fields }, this.negotiated);
    const request = decodeRequest(frame, this.negotiated);
    if (request.kind === 'decodeError') throw new Error(`the test's own request is wrong: ${request.reason}`);
    return this.#sort(this.memfs.engine.handle(frame), header.unique, request);
  }

  /** The fields of a good reply; an Error with the errno when it is none. */
  ask<N extends OperationName>(
    name: N,
    fields: Draft<RequestFields<N>>,
    sending: Sending = {},
  ): ReplyFields<N> {
    const { reply } = this.say(name, fields, sending);
    if (reply?.ok !== true) throw new Error(`${name}: ${reply ? reply.header.error : 'no reply'}`);
    return reply.fields as ReplyFields<N>;
  }

  /** The errno of a reply, 0 for a good one; `undefined` without a reply. */
  errno<N extends OperationName>(
    name: N,
    fields: Draft<RequestFields<N>>,
    sending: Sending = {},
  ): number | undefined {
    const { reply } = this.say(name, fields, sending);
    return reply && Math.abs(reply.header.error);
  }

  /** INIT with every flag offered, at the given minor. */
  init(minor = 45): ReplyFields<'INIT'> {
    const all = Object.values(InitFlag).reduce((flags, flag) => flags | flag, 0n);
    const request = {
      major: 7,
      minor,
      maxReadahead: 131072,
      flags: Number(all & 0xffff_ffffn),
      flags2: Number(all >> 32n),
    };
    const reply = this.ask('INIT', request);
    this.negotiated = negotiatedFrom(request, reply);
    return reply;
  }

  /** Nodeid of a path from the root, one LOOKUP a name. */
  walk(path: string): NodeId {
    return path
      .split('/')
      .filter((name) => name !== '')
      .reduce((nodeid, name) => this.ask('LOOKUP', { name }, { nodeid }).nodeid, nodeId(1n));
  }

  /** The whole of a file, by OPEN, READ and RELEASE. */
  contents(nodeid: bigint): string {
    const { fh } = this.ask('OPEN', { flags: 0 }, { nodeid });
    const { data } = this.ask('READ', { fh, offset: 0n, size: 1 << 20 }, { nodeid });
    this.ask('RELEASE', { fh }, { nodeid });
    return Buffer.from(data).toString('latin1');
  }

  /** First line of a file that the seed planted: it names the file. */
  label(nodeid: bigint): string {
    return this.contents(nodeid).split(' ')[0] ?? '';
  }

  #sort(messages: readonly Uint8Array[], own: bigint, request: Parameters<typeof decodeReply>[1]): Said {
    const notifications: DecodedNotification[] = [];
    const late: [bigint, number][] = [];
    let reply: DecodedReply | undefined;
    for (const message of messages) {
      if (isNotification(message)) notifications.push(sound(decodeNotification(message, this.negotiated)));
      else if (uniqueOf(message) === own) reply = sound(decodeReply(message, request, this.negotiated));
      else {
        const { header } = sound(decodeReply(message, undefined, this.negotiated));
        late.push([header.unique, header.error]);
      }
    }
    return { reply, late, notifications };
  }
}

const sound = <T extends { readonly kind: string }>(decoded: T): Exclude<T, { kind: 'decodeError' }> => {
  if (decoded.kind === 'decodeError')
    throw new Error(`the server's message does not decode: ${JSON.stringify(decoded)}`);
  return decoded as Exclude<T, { kind: 'decodeError' }>;
};

/** A conversation after INIT. */
export const started = (
  given: Readonly<Record<string, unknown>> = {},
  variation: Partial<MemfsVariation> = {},
): Conversation => {
  const talk = new Conversation(optionsWith(given), variation);
  talk.init();
  return talk;
};

/**
 * Takes what is private out of a trace: names, contents, attribute values and the paths in its header become keyed hashes
 * of the same length. Structure, sizes, times, numbers of users and nodes stay, so it still replays where contents do not
 * matter.
 */

import { randomBytes } from 'node:crypto';
import {
  type ContentSite,
  notificationContent,
  replyContent,
  requestContent,
} from '../protocol/content-sites.js';
import type { Fields } from '../protocol/layout.js';
import { replyContext } from '../protocol/reply-context.js';
import type { EndFacts, MapsFacts, MountFacts, TraceContext } from './context.js';
import type { DecodedFrame } from './decoded-frames.js';
import { Pseudonyms } from './pseudonyms.js';
import type { Trace } from './reader.js';
import { type Changes, rewriteTrace } from './rewrite.js';
import { toBytes, toText } from './wire-values.js';
import type { WriterStatus } from './writer.js';

/** Attribute names that say nothing about their owner, and mean something to kernels and servers. */
const SYSTEM_XATTR = /^(system|security)\./;
const OWNED_XATTR = /^(user|trusted)\./;
/** Programs and libraries: their paths are needed to read a memory map. */
const SYSTEM_PATH = /^\/(usr|lib|lib64|bin|sbin|dev|proc|sys|snap|nix)\//;
const PATH = /\/[^\s,:=;"']+/g;

const contentOf = ({ message, request, frame, negotiated }: DecodedFrame): ContentSite[] => {
  if (message.kind === 'request' && message.op !== undefined)
    return requestContent(frame.bytes, message.op, negotiated);
  if (message.kind === 'notification' && message.op !== undefined)
    return notificationContent(frame.bytes, message.op, negotiated);
  if (message.kind !== 'reply' || request?.frame === undefined) return [];
  return replyContent(frame.bytes, replyContext(request.frame.bytes, negotiated), negotiated);
};

/** What follows the headers when nobody can tell what it means. */
const opaqueOf = ({ message, frame, kind, op }: DecodedFrame): ContentSite[] => {
  const isKnown = message.kind !== 'decodeError' && message.op !== undefined && op !== undefined;
  if (isKnown || kind === 'malformed') return [];
  const start = kind === 'request' ? 40 : 16;
  return start < frame.bytes.length
    ? [{ field: 'body', content: 'data', start, end: frame.bytes.length }]
    : [];
};

const numberField = (fields: Fields | undefined, name: string): number => {
  const value = fields?.[name];
  return typeof value === 'bigint' ? Number(value % (1n << 48n)) : 0;
};

const xattrName = (fields: Fields | undefined): string =>
  typeof fields?.['name'] === 'string' ? fields['name'] : '';

/** Redacts the frames and facts of one trace. */
export class Redactor {
  readonly #pseudonyms: Pseudonyms;

  constructor(key: Uint8Array) {
    this.#pseudonyms = new Pseudonyms(key);
  }

  /** The frame's bytes with its names and contents replaced; the length stays. */
  frame(decoded: DecodedFrame): Uint8Array {
    const { bytes } = decoded.frame;
    const sites = [...contentOf(decoded), ...opaqueOf(decoded)];
    if (sites.length === 0) return bytes;
    const out = bytes.slice();
    for (const site of sites) out.set(this.#replacement(decoded, site), site.start);
    return out;
  }

  /** A digest of contents, for traces that kept only that. */
  digest(digest: Uint8Array): Uint8Array {
    return this.#pseudonyms.digest(digest);
  }

  /** Text with the paths in it replaced, except those of programs and libraries. */
  text(text: string): string {
    return text.replace(PATH, (path) =>
      SYSTEM_PATH.test(path) ? path : toText(this.#pseudonyms.path(toBytes(path))),
    );
  }

  #replacement(decoded: DecodedFrame, { content, start, end }: ContentSite): Uint8Array {
    const bytes = decoded.frame.bytes.subarray(start, end);
    if (content === 'data') return this.#data(decoded, bytes);
    const isXattr = decoded.op?.endsWith('XATTR') === true;
    if (content === 'names') return this.#xattrNames(bytes);
    if (isXattr) return this.#xattrName(bytes);
    return content === 'path' ? this.#pseudonyms.path(bytes) : this.#pseudonyms.name(bytes);
  }

  #data(decoded: DecodedFrame, bytes: Uint8Array): Uint8Array {
    const message = decoded.requestMessage();
    const fields: Fields | undefined =
      message !== undefined && 'fields' in message ? message.fields : undefined;
    if (decoded.op?.endsWith('XATTR') === true && xattrName(fields).startsWith('system.')) return bytes;
    return this.#pseudonyms.data(bytes, numberField(fields, 'offset'));
  }

  #xattrName(name: Uint8Array): Uint8Array {
    const text = Buffer.from(name).toString('latin1');
    if (SYSTEM_XATTR.test(text)) return name;
    const kept = OWNED_XATTR.exec(text)?.[0].length ?? 0;
    return Buffer.concat([name.subarray(0, kept), this.#pseudonyms.name(name.subarray(kept))]);
  }

  /** Names that each end with a NUL. */
  #xattrNames(names: Uint8Array): Uint8Array {
    const out = Buffer.from(names);
    for (let start = 0; start < out.length; ) {
      const nul = out.indexOf(0, start);
      const end = nul < 0 ? out.length : nul;
      if (end > start) out.set(this.#xattrName(names.subarray(start, end)), start);
      start = end + 1;
    }
    return out;
  }
}

const changesBy = (redactor: Redactor): Changes => ({
  frame: (decoded) => redactor.frame(decoded),
  digest: (digest) => redactor.digest(digest),
  context: (context: TraceContext): TraceContext => ({
    ...context,
    argv: context.argv.map((argument) => redactor.text(argument)),
    cwd: redactor.text(context.cwd),
    environment: context.environment.map(({ name, value }) => ({ name, value: redactor.text(value) })),
    // It may name a file.
    filter: context.filter === '' ? '' : 'redacted',
    redacted: true,
  }),
  mount: (mount: MountFacts): MountFacts => ({
    ...mount,
    point: redactor.text(mount.point),
    source: redactor.text(mount.source),
    options: redactor.text(mount.options),
  }),
  maps: (maps: MapsFacts): MapsFacts => ({
    ...maps,
    ranges: maps.ranges.map((range) => ({ ...range, path: redactor.text(range.path) })),
  }),
  end: (end: EndFacts): EndFacts => ({
    ...end,
    // Servers print names without paths as well, which cannot be told from other words.
    stderr: end.stderr.length === 0 ? [] : [`${end.stderr.length} lines redacted`],
  }),
});

/**
 * Writes a redacted copy of a trace. With the same `key` the same names give the same pseudonyms, so two traces can be
 * compared; a random key, which nobody keeps, unless given. Throws a RelightError when the file cannot be created.
 */
export const redactTrace = (trace: Trace, path: string, key: Uint8Array = randomBytes(32)): WriterStatus =>
  rewriteTrace(trace, path, { changes: changesBy(new Redactor(key)) });

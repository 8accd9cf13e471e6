// A small file system as an oracle gets to know it: files by their keys, each looked up and read once by the first incarnation.

import { Identities } from '#relight/oracle/identity.js';
import type { Probe, Scene, StaleId } from '#relight/oracle/probe.js';
import type { StepIds } from '#relight/oracle/seen.js';
import type { Fields } from '#relight/protocol/layout.js';
import { type OperationName, operationNamed } from '#relight/protocol/operations.js';
import { attrReply, entry, getattr, reading, reply, request, session, text } from './messages.js';

export const ROOT = 0;
/** Keys of the objects; their inode numbers are 100 more, their recorded nodeids 10 more. */
export const objects = { a: 1, b: 2, c: 3, d: 4, twin1: 5, twin2: 6, empty: 7, unread: 8 } as const;
export type Name = keyof typeof objects;

const contents: Partial<Record<Name, string>> = {
  a: 'hello',
  b: 'hello, this is b',
  c: 'what c holds',
  twin1: 'twins',
  twin2: 'twins',
  empty: '',
};

const S_IFDIR = 0o040000;
const sizes: Partial<Record<Name, bigint>> = { unread: 9n };

/** Attributes of an object. Twins share all but the inode number. */
export const attrOf = (name: Name, more: Fields = {}): Fields => {
  const key = objects[name];
  const time = name === 'twin2' ? objects.twin1 : key;
  return {
    ino: BigInt(100 + key),
    mode: name === 'd' ? S_IFDIR | 0o755 : 0o100644,
    size: sizes[name] ?? BigInt(contents[name]?.length ?? 4096),
    mtime: BigInt(1000 + time),
    ctime: BigInt(1000 + time),
    ...more,
  };
};

export const contentOf = (name: Name): Uint8Array => text(contents[name] ?? '');

interface StepSpec {
  readonly node?: number;
  readonly second?: number;
  readonly child?: number;
  /** Keys that the records of a directory give, in their order. */
  readonly children?: readonly number[];
}

/** A step of a plan with a good reply. */
export const step = (name: OperationName, asked: Fields, told: Fields, ids: StepSpec): StepIds => {
  const template = request(name, asked);
  const op = operationNamed(name);
  const nodes = op.ids.filter(({ kind }) => kind === 'node');
  const header = nodes.find(({ part }) => part === 'header');
  const inBody = nodes.find(({ part, side }) => part === 'body' && side === 'request');
  const minted = nodes.find(({ side, each }) => side === 'reply' && each === undefined);
  const each = nodes.find(({ side, each }) => side === 'reply' && each !== undefined);
  return {
    op,
    template,
    reply: reply(name, template, told),
    patches: [
      ...(header && ids.node !== undefined ? [{ use: header, symbol: ids.node }] : []),
      ...(inBody && ids.second !== undefined ? [{ use: inBody, symbol: ids.second }] : []),
    ],
    mints: [
      ...(minted && ids.child !== undefined ? [{ use: minted, symbol: ids.child, offset: 16 }] : []),
      ...(each ? (ids.children ?? []).map((symbol) => ({ use: each, symbol, offset: 0 })) : []),
    ],
  };
};

export const observe = (known: Identities, one: StepIds, incarnation = 0): void =>
  known.observe(one, one.reply ?? new Uint8Array(), incarnation);

/** Looks a name of the root up, under a nodeid of its incarnation. */
export const lookup = (name: Name, nodeid: bigint, more: Fields = {}): StepIds =>
  step('LOOKUP', { name }, entry(nodeid, attrOf(name, more)), { node: ROOT, child: objects[name] });

export const nameOf = (key: number): string =>
  key === ROOT ? '/' : `/${Object.entries(objects).find(([, value]) => value === key)?.[0] ?? `%n${key}`}`;

/** Everything looked up and read by incarnation 0. */
export const knownWorld = (): Identities => {
  const known = new Identities({ negotiated: session, nameOf });
  for (const name of Object.keys(objects) as Name[]) {
    observe(known, lookup(name, BigInt(10 + objects[name])));
    if (contents[name] !== undefined)
      observe(known, step('READ', reading(1n, 0n), { data: contentOf(name) }, { node: objects[name] }));
  }
  return known;
};

export const sceneOf = (identities: Identities): Scene => ({ identities, negotiated: session, maps: [] });

export const stale = (name: Name, kind: StaleId['kind'] = 'node'): StaleId => ({
  kind,
  symbol: objects[name],
  value: BigInt(10 + objects[name]),
  minted: 0,
  was: nameOf(objects[name]),
});

/** A request by the stale nodeid of an object. */
export const probe = (
  operation: OperationName,
  asked: Fields,
  name: Name,
  more: Partial<Probe> = {},
): Probe => ({
  request: request(operation, asked, { nodeid: BigInt(10 + objects[name]) }),
  stale: [stale(name)],
  subject: objects[name],
  recorded: undefined,
  ...more,
});

export const getattrOf = (name: Name, more: Partial<Probe> = {}): Probe =>
  probe('GETATTR', getattr, name, more);
export const readOf = (name: Name, offset = 0n): Probe => probe('READ', reading(1n, offset), name);
export const told = (asked: Probe, operation: OperationName, fields: Fields) =>
  ({ kind: 'reply', bytes: reply(operation, asked.request, fields) }) as const;
export const attributesOf = (asked: Probe, name: Name, more: Fields = {}) =>
  told(asked, 'GETATTR', attrReply(attrOf(name, more)));

import { describe, expect, it } from 'vitest';
import { Errno } from '#relight/base/errno.js';
import { compareReply } from '#relight/oracle/compare.js';
import { Listings } from '#relight/oracle/listing.js';
import type { Fields } from '#relight/protocol/layout.js';
import { errorReply, plainRecords, reading, record, reply, request, session } from './messages.js';

const HANDLE = 4;

/** Reads a directory in pieces on both sides and returns what was reported after each piece. */
const read = (pieces: readonly (readonly [Fields, Fields | Uint8Array])[], listings = new Listings()) =>
  pieces.map(([recorded, live], index) => {
    const template = request('READDIR', reading(3n, index === 0 ? 0n : 7n));
    const exchange = { index, seq: index, template, reply: reply('READDIR', template, recorded) };
    const bytes = live instanceof Uint8Array ? live : reply('READDIR', template, live);
    const found = compareReply(exchange, bytes, session);
    return listings.settle(HANDLE, exchange, { bytes, found, negotiated: session })?.field;
  });

const none = plainRecords();

describe('a directory in pieces', () => {
  it('may be cut elsewhere and come in another order', () => {
    const pieces = [
      [plainRecords('a', 'b'), plainRecords('c', 'a', 'b')],
      [plainRecords('c', 'd'), plainRecords('d')],
      [none, none],
    ] as const;
    expect(read(pieces)).toEqual([undefined, undefined, undefined]);
  });

  it('that lacks a name is told at its end, once', () => {
    const listings = new Listings();
    const pieces = [
      [plainRecords('a', 'b'), plainRecords('a')],
      [plainRecords('c'), plainRecords('c')],
      [none, none],
    ] as const;
    expect(read(pieces, listings)).toEqual([undefined, undefined, 'entries[b]']);
    expect(listings.endAll()).toEqual([]);
  });

  it('that has one too many is told when its handle goes', () => {
    const listings = new Listings();
    expect(read([[plainRecords('a'), plainRecords('a', 'x')]], listings)).toEqual([undefined]);
    expect(listings.end(HANDLE)).toMatchObject({ field: 'entries[x]', expected: 'absent', op: 'READDIR' });
    expect(listings.end(HANDLE)).toBeUndefined();
  });

  it('is judged by its records too', () => {
    const first = [plainRecords('a', 'b'), plainRecords('b')] as const;
    const second = [none, { entries: [record('a', 1, { type: 4 })] }] as const;
    expect(read([first, second])).toEqual([undefined, 'entries[a].type']);
  });

  it('that fails is told at once', () => {
    expect(read([[plainRecords('a'), errorReply(Errno.ESTALE)]])).toEqual(['error']);
  });

  it('that begins anew settles what was before', () => {
    const listings = new Listings();
    read([[plainRecords('a'), plainRecords('b')]], listings);
    expect(read([[plainRecords('a'), plainRecords('a')]], listings)).toEqual(['entries[a]']);
  });
});

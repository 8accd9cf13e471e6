import { describe, expect, it } from 'vitest';
import { type DecodedRequest, decodeRequest } from '#relight/protocol/decode.js';
import { encodeRequest } from '#relight/protocol/encode.js';
import { InitFlag } from '#relight/protocol/flags.js';
import { type Negotiated, newestNegotiated } from '#relight/protocol/negotiated.js';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));

describe('extensions', () => {
  const security = hex(
    [
      '28000000 01000000', // 40 bytes, 1 context
      '06000000 00000000', // 6 bytes of value, unused
      '73656375726974792e6100', // "security.a"
      '6c6162656c00', // "label" with its NUL
      '00000000000000', // up to 8 bytes
    ].join(''),
  );

  const mkdir = (extensions: Uint8Array, totalExtlen: number): Uint8Array => {
    const bytes = new Uint8Array(40 + 8 + 2 + extensions.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, bytes.length, true);
    view.setUint32(4, 9, true);
    view.setUint16(36, totalExtlen, true);
    bytes.set(Buffer.from('d\0'), 48);
    bytes.set(extensions, 50);
    return bytes;
  };

  const roundTrip = (bytes: Uint8Array, negotiated: Negotiated): DecodedRequest => {
    const value = decodeRequest(bytes, negotiated);
    if (value.kind === 'decodeError') throw new Error(`${value.reason} at ${value.offset}`);
    expect(encodeRequest(value, negotiated)).toEqual(bytes);
    return value;
  };

  it('holds security contexts', () => {
    const context = { name: 'security.a', value: new Uint8Array(Buffer.from('label\0')), unused: 0 };
    const expected = [{ kind: 'security', contexts: [context], tail: new Uint8Array(7) }];
    expect(roundTrip(mkdir(security, 5), newestNegotiated).extensions).toEqual(expected);
    // Minor 36 had no length in the header.
    const unsaid = { ...newestNegotiated, minor: 36, flags: InitFlag.SECURITY_CTX };
    expect(roundTrip(mkdir(security, 0), unsaid).extensions).toEqual(expected);
    // A newer kernel says it to a server of any minor.
    expect(roundTrip(mkdir(security, 5), { ...unsaid, minor: 33 }).extensions).toEqual(expected);
  });

  it('holds groups, and extensions that are unknown', () => {
    const groups = hex('18000000 20000000 02000000 e8030000 64000000 00000000');
    const unknown = hex('10000000 21000000 0102030405060708');
    const both = new Uint8Array([...groups, ...unknown]);
    expect(roundTrip(mkdir(both, 5), newestNegotiated).extensions).toEqual([
      { kind: 'groups', groups: [1000, 100], tail: new Uint8Array(4) },
      { kind: 'unknown', type: 33, body: hex('0102030405060708') },
    ]);
  });

  it.each([
    ['a record shorter than its header', '04000000 20000000'],
    ['a record longer than what is left', '10000000 20000000'],
    ['more groups than bytes', '10000000 20000000 ff000000 00000000'],
    [
      'a context whose value goes on behind the record',
      '18000000 01000000 ff000000 00000000 6100000000000000',
    ],
    ['a context name without NUL', '18000000 01000000 00000000 00000000 6161616161616161'],
  ])('are wrong with %s', (_, text) => {
    const bytes = hex(text);
    expect(decodeRequest(mkdir(bytes, bytes.length / 8), newestNegotiated)).toMatchObject({
      reason: 'extension',
    });
  });

  it('are wrong when they would begin in the header', () => {
    expect(decodeRequest(mkdir(new Uint8Array(0), 9), newestNegotiated)).toMatchObject({
      reason: 'extension',
    });
  });
});

import { describe, expect, it } from 'vitest';
import { encodeError, encodeReply, encodeRequest } from '#relight/protocol/encode.js';
import type { Fields } from '#relight/protocol/layout.js';
import { newestNegotiated } from '#relight/protocol/negotiated.js';
import { type OperationName, operations } from '#relight/protocol/operations.js';
import { replyContext } from '#relight/protocol/reply-context.js';
import { replyFault } from '#relight/protocol/reply-fault.js';

const file = { mode: 0o100644 };
const contextOf = (name: OperationName, fields: Fields) =>
  replyContext(encodeRequest({ name, header: { unique: 2n }, fields }, newestNegotiated), newestNegotiated);
const faultOf = (name: OperationName, reply: Fields, request: Fields = {}): string | undefined => {
  const context = contextOf(name, request);
  const bytes = encodeReply({ name, header: { unique: 2n }, fields: reply }, context, newestNegotiated);
  return replyFault(bytes, context, newestNegotiated)?.text;
};
const rawFault = (name: OperationName, bytes: Uint8Array): string | undefined =>
  replyFault(bytes, contextOf(name, {}), newestNegotiated)?.text;

describe('the kernel takes', () => {
  it('every operation answered in its full layout', () => {
    for (const { name, replyRule, replyRoom } of operations) {
      if (replyRule !== 'always') continue;
      expect([name, faultOf(name, { nodeid: 5n, attr: file }, replyRoom ? { size: 100 } : {})]).toEqual([
        name,
        undefined,
      ]);
    }
  });

  it('short reads, negative entries, INIT of any minor', () => {
    expect(faultOf('READ', { data: new Uint8Array(10) }, { size: 10 })).toBeUndefined();
    expect(faultOf('READ', {}, { size: 10 })).toBeUndefined();
    expect(faultOf('LOOKUP', { nodeid: 0n })).toBeUndefined();
    expect(
      rawFault(
        'INIT',
        encodeReply({ name: 'INIT', header: { unique: 2n, len: 24 } }, undefined, newestNegotiated),
      ),
    ).toBeUndefined();
  });
});

describe('the kernel refuses', () => {
  it.each<[string, OperationName, Uint8Array]>([
    ['has error 2', 'OPEN', encodeError(2n, 2)],
    ['has error -512', 'OPEN', encodeError(2n, -512)],
    ['has 0 bytes of body, 16 wanted', 'OPEN', encodeError(2n, 0)],
    ['has 10 bytes, a header has 16', 'OPEN', new Uint8Array(10)],
    ['says 0 bytes in its header, has 20', 'OPEN', new Uint8Array(20)],
  ])('%s', (text, name, bytes) => expect(rawFault(name, bytes)).toBe(text));

  it('more data than it asked for, or a body where none belongs', () => {
    expect(faultOf('READ', { data: new Uint8Array(11) }, { size: 10 })).toBe(
      'has 11 bytes of body, 0 to 10 wanted',
    );
    const bytes = new Uint8Array(20);
    bytes[0] = 20;
    expect(rawFault('UNLINK', bytes)).toBe('has 4 bytes of body, 0 wanted');
    bytes[4] = 0xff;
    bytes.fill(0xff, 4, 8);
    expect(rawFault('UNLINK', bytes)).toBe('has an error and 4 bytes of body');
  });

  it('contents that cannot be, with EIO for the caller', () => {
    expect(faultOf('GETATTR', { attr: { mode: 0o644 } })).toBe('has mode 0644, which is no file type');
    expect(faultOf('GETATTR', { attr: { ...file, size: 1n << 63n } })).toBe('has size 9223372036854775808');
    expect(faultOf('MKDIR', { nodeid: 0n, attr: file })).toBe('gives nodeid 0 to a new node');
    expect(faultOf('MKDIR', { nodeid: 1n, attr: file })).toBe('gives nodeid 1 to a new node');
    expect(faultOf('READDIR', { entries: [{ name: 'a/b' }] }, { size: 4096 })).toBe(
      'has the name "a/b" in a directory',
    );
  });
});

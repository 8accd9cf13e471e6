import { describe, expect, it } from 'vitest';
import { decodeNotification, decodeReply, decodeRequest } from '#relight/protocol/decode.js';
import { encodeError, encodeNotification, encodeReply, encodeRequest } from '#relight/protocol/encode.js';
import { jsonFields } from '#relight/protocol/json-view.js';
import type { Fields } from '#relight/protocol/layout.js';
import { newestNegotiated } from '#relight/protocol/negotiated.js';
import { type OperationName, operationNamed } from '#relight/protocol/operations.js';
import { decodeErrorText, notificationText, replyText, requestText } from '#relight/protocol/print.js';

const request = (name: OperationName, nodeid: bigint, fields: Fields = {}): string => {
  const bytes = encodeRequest({ name, header: { unique: 4n, nodeid }, fields }, newestNegotiated);
  const decoded = decodeRequest(bytes, newestNegotiated);
  return decoded.kind === 'request' ? requestText(decoded) : decodeErrorText(decoded);
};
const reply = (name: OperationName, fields: Fields, asked: Fields = {}): string => {
  const context = { op: operationNamed(name), fields: asked };
  const bytes = encodeReply({ name, header: { unique: 4n }, fields }, context, newestNegotiated);
  const decoded = decodeReply(bytes, context, newestNegotiated);
  return decoded.kind === 'reply' ? replyText(decoded) : decodeErrorText(decoded);
};

describe('one line', () => {
  it('of requests', () => {
    expect(request('LOOKUP', 1n, { name: 'na\u00efve "file"' })).toBe(
      'LOOKUP #4 node 1 name="naïve \\"file\\""',
    );
    expect(request('READ', 0x7f12_3456_7890n, { fh: 3n, offset: 4096n, size: 512, readFlags: 2 })).toBe(
      'READ #4 node 0x7f1234567890 fh=3 offset=4096 size=512 readFlags=LOCKOWNER lockOwner=0 flags=0',
    );
    expect(request('SETATTR', 2n, { valid: 1 | 64 | 0x8000, mode: 0o600 })).toContain('valid=MODE|FH|0x8000');
    expect(request('BATCH_FORGET', 0n, { items: [{ nodeid: 5n, nlookup: 2n }] })).toBe(
      'BATCH_FORGET #4 count=1 items=[{nodeid=5 nlookup=2}]',
    );
  });

  it('of replies', () => {
    const attr = { mode: 0o100644, size: 5n, mtime: 7n, mtimensec: 25, uid: 1000 };
    expect(reply('GETATTR', { attrValid: 1n, attr })).toBe(
      'GETATTR #4 = OK attrValid=1 attr={ino=0 size=5 blocks=0 atime=0 mtime=7.000000025 ctime=0 mode=0100644 nlink=0 uid=1000 gid=0 rdev=0 blksize=0 flags=0}',
    );
    const entries = Array.from({ length: 10 }, (_, index) => ({ name: `f${index}`, nodeid: BigInt(index) }));
    expect(reply('READDIRPLUS', { entries })).toBe(
      'READDIRPLUS #4 = OK entries=["f0"=0 "f1"=1 "f2"=2 "f3"=3 "f4"=4 "f5"=5 "f6"=6 "f7"=7 and 2 more]',
    );
    expect(reply('READ', { data: new Uint8Array(100) })).toBe('READ #4 = OK data=100 bytes');
    expect(reply('GETXATTR', { size: 12 }, { size: 0 })).toBe('GETXATTR #4 = OK size=12');
    const error = decodeReply(encodeError(4n, -116), undefined, newestNegotiated);
    expect(error.kind === 'reply' && replyText(error)).toBe('reply #4 = ESTALE');
  });

  it('of notifications and of what is none', () => {
    const bytes = encodeNotification({ name: 'INVAL_ENTRY', fields: { parent: 5n, name: 'gone', flags: 1 } });
    const decoded = decodeNotification(bytes);
    expect(decoded.kind === 'notification' && notificationText(decoded)).toBe(
      'NOTIFY_INVAL_ENTRY parent=5 namelen=4 flags=EXPIRE_ONLY name="gone"',
    );
    const error = decodeRequest(new Uint8Array(12), newestNegotiated);
    expect(error.kind === 'decodeError' && decodeErrorText(error)).toBe(
      'request needs 40 bytes at offset 0, has 12',
    );
  });
});

it('JSON holds u64 as decimal strings and bytes as base64', () => {
  expect(
    jsonFields({ fh: 0xffff_ffff_ffff_ffffn, size: 5, data: Uint8Array.of(1, 2), attr: { ino: 7n } }),
  ).toEqual({
    fh: '18446744073709551615',
    size: 5,
    data: 'AQI=',
    attr: { ino: '7' },
  });
});

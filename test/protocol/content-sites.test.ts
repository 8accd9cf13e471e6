import { describe, expect, it } from 'vitest';
import {
  type ContentSite,
  notificationContent,
  replyContent,
  requestContent,
} from '#relight/protocol/content-sites.js';
import { encodeError, encodeNotification, encodeReply, encodeRequest } from '#relight/protocol/encode.js';
import type { Fields } from '#relight/protocol/layout.js';
import { newestNegotiated } from '#relight/protocol/negotiated.js';
import { notificationNamed } from '#relight/protocol/notifications.js';
import { type OperationName, operationNamed } from '#relight/protocol/operations.js';

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const shown = (frame: Uint8Array, sites: readonly ContentSite[]): string[] =>
  sites.map(
    ({ field, content, start, end }) => `${field} ${content} ${Buffer.from(frame.subarray(start, end))}`,
  );

const inRequest = (name: OperationName, fields: Fields): string[] => {
  const frame = encodeRequest({ name, header: { unique: 2n }, fields }, newestNegotiated);
  return shown(frame, requestContent(frame, operationNamed(name), newestNegotiated));
};
const inReply = (name: OperationName, fields: Fields, request: Fields = {}): string[] => {
  const context = { op: operationNamed(name), fields: request };
  const frame = encodeReply({ name, header: { unique: 2n }, fields }, context, newestNegotiated);
  return shown(frame, replyContent(frame, context, newestNegotiated));
};

describe('names and data', () => {
  it('of requests', () => {
    expect(inRequest('WRITE', { data: bytes('secret') })).toEqual(['data data secret']);
    expect(inRequest('RENAME', { oldname: 'a', newname: 'bb' })).toEqual([
      'oldname name a',
      'newname name bb',
    ]);
    expect(inRequest('SYMLINK', { name: 'a', target: '/b' })).toEqual(['name name a', 'target path /b']);
    expect(inRequest('SETXATTR', { name: 'user.a', value: bytes('v') })).toEqual([
      'name name user.a',
      'value data v',
    ]);
    expect(inRequest('GETATTR', {})).toEqual([]);
  });

  it('of replies', () => {
    expect(inReply('READ', { data: bytes('secret') })).toEqual(['data data secret']);
    expect(inReply('READLINK', { target: 'there' })).toEqual(['target path there']);
    expect(inReply('GETXATTR', { value: bytes('v') }, { size: 10 })).toEqual(['value data v']);
    expect(inReply('LISTXATTR', { value: bytes('user.a\0') }, { size: 10 })).toEqual([
      'value names user.a\0',
    ]);
    expect(inReply('LISTXATTR', { size: 7 }, { size: 0 })).toEqual([]);
    expect(inReply('READDIR', { entries: [{ name: 'a' }, { name: 'file-name' }] })).toEqual([
      'entries.name name a',
      'entries.name name file-name',
    ]);
    const error = encodeError(2n, -5);
    expect(replyContent(error, { op: operationNamed('READ'), fields: {} }, newestNegotiated)).toEqual([]);
  });

  it('of notifications', () => {
    const frame = encodeNotification({ name: 'DELETE', fields: { name: 'gone' } });
    const sites = notificationContent(frame, notificationNamed('DELETE'), newestNegotiated);
    expect(shown(frame, sites)).toEqual(['name name gone']);
  });

  it('end with the frame, whatever its counts say', () => {
    const frame = encodeRequest(
      { name: 'WRITE', header: { unique: 2n }, fields: { size: 100, data: bytes('abc') } },
      newestNegotiated,
    );
    expect(shown(frame, requestContent(frame, operationNamed('WRITE'), newestNegotiated))).toEqual([
      'data data abc',
    ]);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeNotification, decodeReply, decodeRequest } from '#relight/protocol/decode.js';
import { encodeNotification, encodeReply, encodeRequest } from '#relight/protocol/encode.js';
import { notifications } from '#relight/protocol/notifications.js';
import { operations } from '#relight/protocol/operations.js';
import { bodyOf, requestOf, sessions, u64 } from './arbitrary.js';

const session = fc.constantFrom(...sessions);
const runs = { numRuns: 40 };
const header = fc.record({
  unique: u64,
  nodeid: u64,
  uid: fc.nat(),
  gid: fc.nat(),
  pid: fc.nat(),
});

describe('requests', () => {
  it.each(operations)('$name decodes to what was encoded, and back to the same bytes', (op) => {
    const frame = session.chain((negotiated) =>
      fc.record({ negotiated: fc.constant(negotiated), header, fields: requestOf(op, negotiated) }),
    );
    fc.assert(
      fc.property(frame, ({ negotiated, header, fields }) => {
        const bytes = encodeRequest({ name: op.name, header, fields }, negotiated);
        const decoded = decodeRequest(bytes, negotiated);
        if (decoded.kind !== 'request') throw new Error(JSON.stringify(decoded, (_, v) => String(v)));
        expect(decoded.fields).toEqual(fields);
        expect(decoded.header).toMatchObject({ ...header, opcode: op.opcode, len: bytes.length });
        expect(encodeRequest(decoded, negotiated)).toEqual(bytes);
      }),
      runs,
    );
  });
});

describe('replies', () => {
  it.each(operations.filter(({ reply }) => reply !== undefined))(
    '$name decodes to what was encoded',
    (op) => {
      const frame = session.chain((negotiated) =>
        requestOf(op, negotiated).chain((request) =>
          fc.record({
            negotiated: fc.constant(negotiated),
            request: fc.constant(request),
            unique: u64,
            fields: bodyOf(op.reply ?? [], negotiated, request),
          }),
        ),
      );
      fc.assert(
        fc.property(frame, ({ negotiated, request, unique, fields }) => {
          const context = { op, fields: request };
          const bytes = encodeReply({ name: op.name, header: { unique }, fields }, context, negotiated);
          const decoded = decodeReply(bytes, context, negotiated);
          if (decoded.kind !== 'reply') throw new Error(JSON.stringify(decoded, (_, v) => String(v)));
          expect(decoded.fields).toEqual(fields);
          expect(encodeReply(decoded, context, negotiated)).toEqual(bytes);
        }),
        runs,
      );
    },
  );
});

describe('any bytes', () => {
  // Mostly frames that begin well, since others fail at their header.
  const hostile = fc
    .tuple(fc.uint8Array({ maxLength: 400 }), fc.constantFrom(...operations), fc.boolean(), fc.nat(3))
    .map(([bytes, op, honest, error]) => {
      const view = new DataView(bytes.buffer);
      if (honest && bytes.length >= 4) view.setUint32(0, bytes.length, true);
      if (bytes.length >= 40) view.setUint16(36, error % 2, true);
      return { bytes, op, asReply: () => bytes.length >= 8 && view.setInt32(4, 0, true) };
    });

  it('give a value that encodes back, or a decode error within the bytes', () => {
    fc.assert(
      fc.property(hostile, session, fc.boolean(), ({ bytes, op, asReply }, negotiated, sized) => {
        if (bytes.length >= 8) new DataView(bytes.buffer).setUint32(4, op.opcode, true);
        const request = decodeRequest(bytes, negotiated);
        if (request.kind === 'request') expect(encodeRequest(request, negotiated)).toEqual(bytes);
        else expect(request.offset).toBeLessThanOrEqual(bytes.length);
        asReply();
        const context = { op, fields: { size: sized ? 100 : 0 } };
        const reply = decodeReply(bytes, context, negotiated);
        if (reply.kind === 'reply') expect(encodeReply(reply, context, negotiated)).toEqual(bytes);
        else expect(reply.offset).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 3000 },
    );
  });

  it('give a notification that encodes back, or a decode error within the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(10), (bytes, code) => {
        if (bytes.length < 16) return;
        const view = new DataView(bytes.buffer);
        view.setUint32(0, bytes.length, true);
        view.setInt32(4, code, true);
        view.setBigUint64(8, 0n, true);
        const decoded = decodeNotification(bytes);
        if (decoded.kind === 'notification') expect(encodeNotification(decoded)).toEqual(bytes);
        else expect(decoded.offset).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('notifications', () => {
  it.each(notifications)('$name decodes to what was encoded', (op) => {
    fc.assert(
      fc.property(
        session.chain((negotiated) => fc.tuple(fc.constant(negotiated), bodyOf(op.body, negotiated))),
        ([negotiated, fields]) => {
          const bytes = encodeNotification({ name: op.name, fields }, negotiated);
          const decoded = decodeNotification(bytes, negotiated);
          if (decoded.kind !== 'notification') throw new Error(JSON.stringify(decoded, (_, v) => String(v)));
          expect(decoded.fields).toEqual(fields);
          expect(encodeNotification(decoded, negotiated)).toEqual(bytes);
        },
      ),
      runs,
    );
  });
});

import { describe, expect, it } from 'vitest';
import {
  type DecodedNotification,
  type DecodedReply,
  type DecodedRequest,
  type DecodeError,
  decodeNotification,
  decodeReply,
  decodeRequest,
} from '#relight/protocol/decode.js';
import { encodeNotification, encodeReply, encodeRequest } from '#relight/protocol/encode.js';
import type { Fields, Value } from '#relight/protocol/layout.js';
import { newestNegotiated } from '#relight/protocol/negotiated.js';
import { notificationNamed, notifications } from '#relight/protocol/notifications.js';
import { operationNamed, operations } from '#relight/protocol/operations.js';
import { type Example, examples } from './frames.js';

type Decoded = DecodedRequest | DecodedReply | DecodedNotification;

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));

const codeOf = ({ side, name }: Example): number => {
  if (side === 'reply') return 0;
  return side === 'request' ? (operationNamed(name)?.opcode ?? 0) : (notificationNamed(name)?.code ?? 0);
};

/** The example's frame, cut to some bytes of its body; the header says the length that is left. */
const frameOf = (example: Example, cutTo?: number): Uint8Array => {
  const size = example.side === 'request' ? 40 : 16;
  const body = hex(example.pieces.map(([bytes]) => bytes).join('')).subarray(0, cutTo);
  const bytes = new Uint8Array(size + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint32(4, codeOf(example), true);
  view.setBigUint64(8, example.side === 'notification' ? 0n : 0x42n, true);
  bytes.set(body, size);
  return bytes;
};

const decoded = ({ side, name, request, negotiated }: Example, bytes: Uint8Array): Decoded | DecodeError => {
  if (side === 'request') return decodeRequest(bytes, negotiated);
  if (side === 'notification') return decodeNotification(bytes, negotiated);
  return decodeReply(bytes, { op: operationNamed(name), fields: request }, negotiated);
};

const encoded = ({ request, negotiated }: Example, value: Decoded): Uint8Array => {
  if (value.kind === 'request') return encodeRequest(value, negotiated);
  if (value.kind === 'notification') return encodeNotification(value, negotiated);
  return encodeReply(value, { fields: request }, negotiated);
};

const good = (result: Decoded | DecodeError): Decoded => {
  if (result.kind === 'decodeError') throw new Error(`${result.reason} at ${result.offset}`);
  return result;
};

const isFields = (value: Value): value is Fields =>
  typeof value === 'object' && !(value instanceof Uint8Array) && !isNumbers(value);
const isNumbers = (value: Value): boolean =>
  Array.isArray(value) && value.every((item) => typeof item !== 'object');

/** All values by their path. */
const leaves = (fields: Fields, prefix = ''): Record<string, Value> =>
  Object.assign(
    {},
    ...Object.entries(fields).map(([name, value]) =>
      isFields(value) ? leaves(value, `${prefix}${name}.`) : { [prefix + name]: value },
    ),
  );

describe('annotated bytes', () => {
  it('show every operation and notification from both sides', () => {
    const shown = new Set(examples.map(({ side, name }) => `${side} ${name}`));
    const wanted = [
      ...operations.map(({ name }) => `request ${name}`),
      ...operations.filter(({ replyRule }) => replyRule === 'always').map(({ name }) => `reply ${name}`),
      ...notifications.map(({ name }) => `notification ${name}`),
    ];
    expect([...shown].sort()).toEqual(wanted.sort());
  });

  describe.each(examples)('$name: $title', (example) => {
    const whole = frameOf(example);

    it('decodes to what the annotations say, and to nothing else', () => {
      const value = good(decoded(example, whole));
      const annotated = example.pieces.flatMap(([, path, value]) =>
        path === undefined ? [] : [[path, value]],
      );
      expect(value.name).toBe(example.name);
      expect(leaves(value.fields)).toEqual(Object.fromEntries(annotated));
    });

    it('encodes back', () => expect(encoded(example, good(decoded(example, whole)))).toEqual(whole));

    it('cut anywhere gives a value that encodes back, or an error that says where', () => {
      for (let size = whole.length - (example.side === 'request' ? 40 : 16) - 1; size >= 0; size--) {
        const bytes = frameOf(example, size);
        const result = decoded(example, bytes);
        if (result.kind !== 'decodeError') expect(encoded(example, result)).toEqual(bytes);
        else expect(result.offset).toBeLessThanOrEqual(bytes.length);
      }
    });

    it('cut without its header saying so is an error', () => {
      const cut = whole.subarray(0, -1);
      expect(decoded(example, cut)).toMatchObject({ kind: 'decodeError', have: cut.length });
    });

    it('never takes a byte more, unless it goes on to the end', () => {
      const bytes = new Uint8Array([...whole, 0xff]);
      bytes[0] = bytes.length;
      new DataView(bytes.buffer).setUint32(0, bytes.length, true);
      const result = decoded(example, bytes);
      if (result.kind !== 'decodeError') expect(encoded(example, result)).toEqual(bytes);
      else expect(['leftOver', 'short']).toContain(result.reason);
    });
  });
});

describe('decode errors', () => {
  const lookup = hex(
    '2d000000 01000000 0200000000000000 0100000000000000 00000000 00000000 00000000 00000000',
  );

  it('say where bytes are wanted and how many', () => {
    expect(decodeRequest(lookup.subarray(0, 12), newestNegotiated)).toEqual({
      kind: 'decodeError',
      message: 'request',
      header: undefined,
      reason: 'short',
      offset: 0,
      need: 40,
      have: 12,
    });
    const forget = hex(
      '2c000000 02000000 0200000000000000 0100000000000000 00000000000000000000000000000000 01020304',
    );
    expect(decodeRequest(forget, newestNegotiated)).toMatchObject({
      reason: 'short',
      offset: 40,
      need: 8,
      have: 4,
    });
  });

  it('tell a name without NUL', () => {
    const bytes = new Uint8Array([...lookup, ...Buffer.from('hello')]);
    expect(decodeRequest(bytes, newestNegotiated)).toMatchObject({ reason: 'unterminated', offset: 40 });
  });

  it('tell bytes left over, also behind an error reply', () => {
    const bytes = hex('14000000 feffffff 0200000000000000 00000000');
    expect(decodeReply(bytes, undefined, newestNegotiated)).toMatchObject({
      reason: 'leftOver',
      offset: 16,
      have: 4,
    });
  });

  it('do not make items for a count that cannot be', () => {
    const bytes = hex(
      '30000000 2a000000 0200000000000000 0000000000000000 00000000000000000000000000000000 ffffffff00000000',
    );
    expect(decodeRequest(bytes, newestNegotiated)).toMatchObject({
      reason: 'short',
      offset: 48,
      need: 0xffff_ffff * 16,
      have: 0,
    });
  });
});

describe('what no row describes', () => {
  it('keeps an unknown request, reply and notification raw', () => {
    const request = hex(
      '2a000000 e7030000 0200000000000000 0100000000000000 00000000000000000000000000000000 0102',
    );
    const value = decodeRequest(request, newestNegotiated);
    expect(value).toMatchObject({ name: undefined, fields: { body: hex('0102') } });
    expect(encodeRequest(value as DecodedRequest, newestNegotiated)).toEqual(request);
    const reply = hex('12000000 00000000 0200000000000000 0102');
    expect(decodeReply(reply, undefined, newestNegotiated)).toMatchObject({ fields: { body: hex('0102') } });
    const notification = hex('12000000 63000000 0000000000000000 0102');
    expect(decodeNotification(notification)).toMatchObject({
      name: undefined,
      fields: { body: hex('0102') },
    });
  });

  it('takes a payload that the recorder cut when told so', () => {
    const write = examples.find(({ name, side }) => name === 'WRITE' && side === 'request');
    const cut = frameOf(write as Example).subarray(0, -3);
    expect(decodeRequest(cut, newestNegotiated)).toMatchObject({ reason: 'length' });
    expect(decodeRequest(cut, newestNegotiated, { cut: true })).toMatchObject({
      name: 'WRITE',
      fields: { size: 5, data: new Uint8Array(Buffer.from('by')) },
    });
  });
});

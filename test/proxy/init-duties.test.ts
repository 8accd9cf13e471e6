import { expect, test } from 'vitest';
import { decodeReply, decodeRequest } from '#relight/protocol/decode.js';
import { encodeReply, encodeRequest } from '#relight/protocol/encode.js';
import { InitFlag } from '#relight/protocol/flags.js';
import { initFlags, newestNegotiated } from '#relight/protocol/negotiated.js';
import { InitDuties } from '#relight/proxy/init-duties.js';

const LOW = 0xffff_ffffn;
const offer = (flags: bigint, len = 104): Uint8Array =>
  encodeRequest(
    {
      name: 'INIT',
      header: { unique: 2n, len },
      fields: {
        major: 7,
        minor: 45,
        maxReadahead: 131072,
        flags: Number(flags & LOW),
        flags2: Number(flags >> 32n),
      },
    },
    newestNegotiated,
  );

const answer = (fields: { maxWrite: number; maxPages: number }): Uint8Array =>
  encodeReply(
    {
      name: 'INIT',
      header: { unique: 2n, len: 80 },
      fields: { major: 7, minor: 31, maxReadahead: 131072, flags: Number(InitFlag.MAX_PAGES), ...fields },
    },
    undefined,
    newestNegotiated,
  );

const settle = (duties: InitDuties, request: Uint8Array, reply: Uint8Array) => {
  const sent = decodeRequest(duties.request(request) ?? request, newestNegotiated);
  if (sent.kind !== 'request' || sent.name !== 'INIT') throw new Error('no INIT was sent');
  const written = decodeReply(duties.reply(reply) ?? reply, sent, newestNegotiated);
  if (written.kind !== 'reply' || written.name !== 'INIT' || !written.ok) throw new Error('no reply');
  return { sent: sent.fields, written: written.fields, exchange: duties.takeExchange() };
};

test('features that need the device itself are not offered, and that is said', () => {
  const wanted = InitFlag.ASYNC_READ | InitFlag.INIT_EXT;
  const denied = InitFlag.PASSTHROUGH | InitFlag.OVER_IO_URING | InitFlag.HAS_IO_URING_BUFPOOL;
  const reply = answer({ maxWrite: 131072, maxPages: 32 });
  const { sent, exchange } = settle(new InitDuties(8 << 20), offer(wanted | denied), reply);
  expect(initFlags(sent)).toBe(wanted);
  expect(exchange?.changes.map(({ bits }) => bits).reduce((a, b) => a | b)).toBe(denied);
  expect(exchange?.offered).toEqual(offer(wanted | denied));
});

test('an old INIT of 16 bytes stays one', () => {
  const { exchange } = settle(
    new InitDuties(8 << 20),
    offer(0n, 56),
    answer({ maxWrite: 65536, maxPages: 16 }),
  );
  expect(exchange?.sent).toHaveLength(56);
});

test('messages are kept small enough for a small socket buffer', () => {
  const { written, exchange } = settle(
    new InitDuties(212_960),
    offer(0n),
    answer({ maxWrite: 1 << 20, maxPages: 256 }),
  );
  expect(written.maxWrite).toBe(139_264);
  expect(written.maxPages).toBe(34);
  expect(exchange?.changes).toHaveLength(2);
});

test('a large enough socket changes nothing, and the buffers hold the largest request', () => {
  const duties = new InitDuties(16 << 20);
  const { written, exchange } = settle(duties, offer(0n), answer({ maxWrite: 1 << 20, maxPages: 256 }));
  expect(written).toMatchObject({ maxWrite: 1 << 20, maxPages: 256 });
  expect(exchange?.changes).toEqual([]);
  // fuse_dev_do_read wants room for a header, a fuse_write_in and max_write bytes.
  expect(duties.maxRequest).toBeGreaterThanOrEqual((1 << 20) + 80);
});

test('later messages pass untouched', () => {
  const duties = new InitDuties(8 << 20);
  settle(duties, offer(0n), answer({ maxWrite: 131072, maxPages: 32 }));
  expect(duties.request(offer(0n))).toBeUndefined();
  expect(duties.reply(answer({ maxWrite: 1, maxPages: 1 }))).toBeUndefined();
});

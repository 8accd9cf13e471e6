import fc from 'fast-check';
import { expect, test } from 'vitest';
import { VirtualKernel } from '#relight/kernel/virtual-kernel.js';
import { encodeRequest } from '#relight/protocol/encode.js';
import { newestNegotiated } from '#relight/protocol/negotiated.js';
import { operations } from '#relight/protocol/operations.js';
import { only, S_IFDIR, Stage, sentAs } from './stage.js';

const opcodes = operations.map(({ opcode }) => opcode);

/** Bytes with a header that makes the kernel look further: right length, a unique that is under way. */
const plausible = fc
  .tuple(
    fc.uint8Array({ maxLength: 400 }),
    fc.integer({ min: 0, max: 12 }),
    fc.constantFrom(0, 0, 0, -2, 2, 7),
  )
  .map(([body, unique, error]) => {
    const bytes = new Uint8Array(16 + body.length);
    bytes.set(body, 16);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, bytes.length, true);
    view.setInt32(4, error, true);
    view.setUint32(8, unique, true);
    return bytes;
  });

const requests = fc
  .tuple(fc.constantFrom(...opcodes), fc.uint8Array({ maxLength: 120 }))
  .map(([opcode, body]) => {
    const bytes = new Uint8Array(40 + body.length);
    bytes.set(body, 40);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, bytes.length, true);
    view.setUint32(4, opcode, true);
    view.setUint32(16, 1, true);
    return bytes;
  });

test('whatever a server writes gives commands and never an exception', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.uint8Array({ maxLength: 300 }), plausible), { maxLength: 20 }),
      fc.array(requests, { maxLength: 6 }),
      (messages, asked) => {
        const kernel = new VirtualKernel({ letGo: 'automatic', negotiated: newestNegotiated });
        asked.forEach((bytes, tag) => {
          kernel.handle({ kind: 'request', bytes, tag });
        });
        for (const bytes of messages) {
          for (const command of kernel.handle({ kind: 'message', bytes }))
            expect(command.kind).toBeTypeOf('string');
        }
        kernel.handle({ kind: 'shrink' });
      },
    ),
    { numRuns: 500 },
  );
});

test('lookups that the server granted are all given back, and no more', () => {
  const lookups = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer({ min: 2, max: 6 })), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(lookups, (script) => {
      const stage = new Stage();
      const granted = new Map<string, number>();
      const count = (lines: readonly string[]) => {
        for (const [, id = '', n = ''] of lines.flatMap((line) => [...line.matchAll(/(\d+)\*(\d+)/g)])) {
          granted.set(id, (granted.get(id) ?? 0) - Number(n));
        }
      };
      for (const [name, id] of script) {
        granted.set(String(id), (granted.get(String(id)) ?? 0) + 1);
        count(sentAs(stage.lookup(1n, name, BigInt(id))));
      }
      count(sentAs(stage.do({ kind: 'shrink' })));
      expect([...granted.values()].every((left) => left === 0)).toBe(true);
    }),
  );
});

test('the kernel that drives and the kernel that follows the same exchange know the same', () => {
  const driver = new Stage({ letGo: 'given' });
  const follower = new VirtualKernel({ letGo: 'given', negotiated: newestNegotiated });
  const pass = (name: string, parent: bigint, nodeid: bigint, mode: number) => {
    const sent = only(driver.ask('LOOKUP', parent, { name }), 'send');
    follower.handle({ kind: 'seen', bytes: sent.bytes.slice(), tag: 0 });
    const [replied] = driver.answer(sent, 'LOOKUP', { nodeid, attr: { mode } });
    if (replied?.kind === 'replied') follower.handle({ kind: 'message', bytes: replied.reply });
  };
  pass('d', 1n, 2n, S_IFDIR);
  pass('f', 2n, 3n, 0o100644);
  const forget = encodeRequest(
    { name: 'FORGET', header: { unique: 6n, nodeid: 3n }, fields: { nlookup: 1n } },
    newestNegotiated,
  );
  expect(follower.cache.path(2)).toBe('/d/f');
  follower.handle({ kind: 'seen', bytes: forget, tag: 0 });
  expect(follower.cache.nodes.size).toBe(2);
  expect(follower.underWay).toBe(0);
});

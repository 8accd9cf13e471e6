import { describe, expect, it } from 'vitest';
import { decodedFrames } from '#relight/trace/decoded-frames.js';
import { Pairing } from '#relight/trace/exchange.js';
import { context, framesIn, reading, reply, request, written } from './support.js';
import { Talk } from './talk.js';

const RESENT = 1n << 63n;

/** What each frame turned out to be. */
const meaning = (path: string) =>
  reading(path, (trace) =>
    [...decodedFrames(trace)].map(({ kind, op, latencyNs, request: sent }) => [
      kind,
      op,
      latencyNs,
      sent?.seq,
    ]),
  );

describe('pairing', () => {
  it('takes a resent request for the same one, and its reply with or without the mark', () => {
    for (const mark of [0n, RESENT]) {
      const path = written((writer) => {
        writer.append('toServer', 100n, request(3, 8n, 5n));
        writer.append('toServer', 300n, request(3, 8n | RESENT, 5n));
        writer.append('toKernel', 350n, reply(8n | mark));
      });
      expect(meaning(path)).toEqual([
        ['request', 'GETATTR', undefined, 0],
        ['request', 'GETATTR', undefined, 1],
        ['reply', 'GETATTR', 50n, 1],
      ]);
    }
  });

  it('keeps an INTERRUPT apart from its target, and forgets it with the target', () => {
    const pairing = new Pairing();
    const path = written((writer) => {
      writer.append('toServer', 1n, request(31, 8n, 5n, new Uint8Array(48)));
      writer.append('toServer', 2n, request(36, 9n, 0n, new Uint8Array(8)));
      writer.append('toKernel', 3n, reply(9n, new Uint8Array(0), 11));
      writer.append('toServer', 4n, request(36, 9n, 0n, new Uint8Array(8)));
      writer.append('toKernel', 5n, reply(8n, new Uint8Array(0), 4));
      writer.append('toKernel', 6n, reply(9n, new Uint8Array(0), 11));
    });
    const seen = framesIn(path).map((frame) => pairing.see(frame)?.op?.name);
    expect(seen).toEqual(['GETLK', 'INTERRUPT', 'INTERRUPT', 'INTERRUPT', 'GETLK', undefined]);
    expect(pairing.inFlight()).toEqual([]);
  });

  it('begins anew with each incarnation', () => {
    const path = written((writer) => {
      writer.startIncarnation({ incarnation: 0, timeNs: 1n, pid: 1, aslr: 'on' });
      writer.append('toServer', 10n, request(3, 8n, 5n));
      writer.endIncarnation({ incarnation: 0, timeNs: 20n, signal: 9, stderr: [] });
      writer.startIncarnation({ incarnation: 1, timeNs: 30n, pid: 2, aslr: 'on' });
      writer.append('toKernel', 40n, reply(8n));
      writer.append('toServer', 50n, request(1, 8n, 5n, Buffer.from('x\0')));
      writer.append('toKernel', 60n, reply(8n, new Uint8Array(0), 2));
    });
    expect(meaning(path).map(([kind, op]) => [kind, op])).toEqual([
      ['request', 'GETATTR'],
      ['reply', undefined],
      ['request', 'LOOKUP'],
      ['reply', 'LOOKUP'],
    ]);
    reading(path, (trace) => expect(trace.incarnations[0]?.end?.inFlight).toHaveLength(1));
  });

  it('expects no answer to FORGET', () => {
    const pairing = new Pairing();
    const path = written((writer) => {
      const talk = new Talk(writer);
      talk.ask('FORGET', 5n, { nlookup: 1n });
      talk.ask('GETATTR', 5n);
    });
    for (const frame of framesIn(path)) pairing.see(frame);
    expect(pairing.inFlight().map(({ op }) => op?.name)).toEqual(['GETATTR']);
  });
});

describe('the handshake', () => {
  it('says how to decode: an old minor has short attributes', () => {
    const init = Buffer.alloc(16);
    init.writeUInt32LE(7, 0);
    init.writeUInt32LE(8, 4);
    const path = written(
      (writer) => {
        writer.append('toServer', 1n, request(26, 2n, 0n, init));
        writer.append('toKernel', 2n, reply(2n, Buffer.concat([init, Buffer.alloc(8)])));
        for (let i = 2n; i < 500n; i++) {
          writer.append('toServer', i, request(3, 2n * i, 1n, new Uint8Array(0)));
          writer.append('toKernel', i, reply(2n * i, new Uint8Array(96)));
        }
      },
      { context, blockBytes: 4096 },
    );
    reading(path, (trace) => {
      expect([...decodedFrames(trace)].filter(({ message }) => message.kind === 'decodeError')).toEqual([]);
      const last = trace.blocks.at(-1);
      const tail = [...decodedFrames(trace, { blocks: (block) => block === last })];
      expect(tail.filter(({ message }) => message.kind === 'decodeError')).toEqual([]);
      expect(tail.length).toBe(last?.count);
    });
  });
});

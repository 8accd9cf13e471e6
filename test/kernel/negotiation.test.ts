import { describe, expect, test } from 'vitest';
import { Errno } from '#relight/base/errno.js';
import { defaultOffer, flagsKnownAt } from '#relight/kernel/negotiation.js';
import { VirtualKernel } from '#relight/kernel/virtual-kernel.js';
import { decodeRequest } from '#relight/protocol/decode.js';
import { encodeError, encodeReply } from '#relight/protocol/encode.js';
import { InitFlag } from '#relight/protocol/flags.js';
import { newestNegotiated } from '#relight/protocol/negotiated.js';
import { only } from './stage.js';

const minors = Array.from({ length: 38 }, (_, index) => index + 8);

const negotiate = (minor: number, reply: Record<string, unknown>, offered = defaultOffer(minor)) => {
  const kernel = new VirtualKernel({ letGo: 'automatic', offer: offered });
  const { bytes } = only(kernel.handle({ kind: 'mount' }), 'send');
  const session = { ...newestNegotiated, minor: Number(reply['minor'] ?? minor) };
  const bytesBack = encodeReply(
    { name: 'INIT', header: { unique: 2n }, fields: { major: 7, minor, ...reply } },
    undefined,
    session,
  );
  return {
    kernel,
    request: decodeRequest(bytes, newestNegotiated),
    commands: kernel.handle({ kind: 'message', bytes: bytesBack }),
  };
};

describe('INIT', () => {
  test.each(minors)('offers minor %i in the length and with the flags of its time', (minor) => {
    const { request, commands, kernel } = negotiate(minor, { maxWrite: 65536 });
    expect(request).toMatchObject({
      name: 'INIT',
      header: { len: minor < 36 ? 56 : 104 },
      fields: { minor },
    });
    expect(only(commands, 'connected').negotiated).toMatchObject({ minor, maxWrite: 65536 });
    expect(kernel.offer.flags & ~flagsKnownAt(minor)).toBe(0n);
  });

  test('takes the lower minor and only flags that were offered', () => {
    const flags = Number(InitFlag.ASYNC_READ | InitFlag.MAX_PAGES);
    const { commands } = negotiate(45, { minor: 19, flags, maxWrite: 131072 });
    const { negotiated } = only(commands, 'connected');
    expect(negotiated.minor).toBe(19);
    expect(negotiated.flags & ~defaultOffer().flags).toBe(0n);
  });

  test('takes an answer of 8 bytes', () => {
    const kernel = new VirtualKernel({ letGo: 'automatic' });
    kernel.handle({ kind: 'mount' });
    const bytes = new Uint8Array(24);
    bytes.set(encodeError(2n, 0));
    new DataView(bytes.buffer).setUint32(0, 24, true);
    new DataView(bytes.buffer).setUint32(16, 7, true);
    new DataView(bytes.buffer).setUint32(20, 4, true);
    const { negotiated } = only(kernel.handle({ kind: 'message', bytes }), 'connected');
    expect(negotiated).toMatchObject({ minor: 4, maxWrite: 4096, flags: 0n });
  });

  test('another major, an error, and id-mapped mounts without checks end the connection', () => {
    expect(only(negotiate(45, { major: 8 }).commands, 'disconnected').refusal.where).toBe(
      'process_init_reply',
    );
    const flags2 = Number(InitFlag.ALLOW_IDMAP >> 32n);
    const idMapped = { flags: Number(InitFlag.INIT_EXT), flags2, maxWrite: 4096 };
    expect(only(negotiate(45, idMapped).commands, 'disconnected').refusal.reason).toBe('init');
    const checked = negotiate(45, idMapped, { ...defaultOffer(), defaultPermissions: true });
    expect(only(checked.commands, 'connected').negotiated.minor).toBe(45);
    const kernel = new VirtualKernel({ letGo: 'automatic' });
    kernel.handle({ kind: 'mount' });
    const refused = kernel.handle({ kind: 'message', bytes: encodeError(2n, -Errno.EPROTO) });
    expect(only(refused, 'disconnected').errno).toBe(Errno.EPROTO);
  });

  test('a notification before INIT is answered is refused', () => {
    const kernel = new VirtualKernel({ letGo: 'automatic' });
    kernel.handle({ kind: 'mount' });
    const commands = kernel.handle({ kind: 'message', bytes: encodeError(0n, 8) });
    expect(only(commands, 'rejected').refusal.reason).toBe('notification');
  });
});

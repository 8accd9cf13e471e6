import { describe, expect, test } from 'vitest';
import { Errno } from '#relight/base/errno.js';
import { nodeId } from '#relight/base/ids.js';
import { defaultOffer } from '#relight/kernel/negotiation.js';
import { VirtualKernel } from '#relight/kernel/virtual-kernel.js';
import { decodeRequest } from '#relight/protocol/decode.js';
import { encodeError, encodeRequest } from '#relight/protocol/encode.js';
import { InitFlag } from '#relight/protocol/flags.js';
import { newestNegotiated } from '#relight/protocol/negotiated.js';
import { all, entry, only, S_IFDIR, S_IFREG, Stage, sentAs } from './stage.js';

const directory = { mode: S_IFDIR | 0o755 };

describe('uniques', () => {
  test('go up by 2', () => {
    const stage = new Stage();
    const sent = [1, 2, 3].map(() => only(stage.ask('STATFS', 1n), 'send').unique);
    expect(sent).toEqual([2, 4, 6]);
  });

  test('INTERRUPT has bit 0 in the header and not in the body', () => {
    const stage = new Stage();
    const { unique } = only(stage.ask('STATFS', 1n), 'send');
    const { bytes } = only(stage.do({ kind: 'interrupt', unique }), 'send');
    const request = decodeRequest(bytes, newestNegotiated);
    expect(request).toMatchObject({ name: 'INTERRUPT', header: { unique: 3n }, fields: { unique: 2n } });
  });

  test('EAGAIN to INTERRUPT asks for another, ENOSYS ends interrupting', () => {
    const stage = new Stage();
    const { unique } = only(stage.ask('STATFS', 1n), 'send');
    stage.do({ kind: 'interrupt', unique });
    const again = stage.do({ kind: 'message', bytes: encodeError(3n, -Errno.EAGAIN) });
    expect(sentAs(again)).toEqual(['INTERRUPT 0']);
    stage.do({ kind: 'message', bytes: encodeError(3n, -Errno.ENOSYS) });
    expect(stage.do({ kind: 'interrupt', unique })).toEqual([]);
  });
});

describe('a recording that is played', () => {
  test('INTERRUPT is for the request that its body names, NOTIFY_REPLY keeps its unique', () => {
    const stage = new Stage();
    const { unique } = only(stage.ask('STATFS', 1n), 'send');
    const interrupt = only(stage.ask('INTERRUPT', 0n, { unique: BigInt(unique) }), 'send');
    expect(decodeRequest(interrupt.bytes, newestNegotiated)).toMatchObject({ header: { unique: 3n } });
    const own = { name: 'NOTIFY_REPLY', header: { unique: 77n, nodeid: 1n } } as const;
    const bytes = encodeRequest(own, newestNegotiated);
    const sent = only(stage.do({ kind: 'request', bytes, tag: 3 }), 'send');
    expect(decodeRequest(sent.bytes, newestNegotiated)).toMatchObject({ header: { unique: 77n } });
    expect(only(stage.ask('STATFS', 1n), 'send').unique).toBe(4);
  });

  test('following changes no byte and sends nothing, whatever the server notifies', () => {
    const kernel = new VirtualKernel({ letGo: 'given', negotiated: newestNegotiated });
    const draft = { name: 'STATFS', header: { unique: 10n, nodeid: 1n } } as const;
    const bytes = encodeRequest(draft, newestNegotiated);
    const before = bytes.slice();
    kernel.handle({ kind: 'seen', bytes, tag: 0 });
    const commands = kernel.handle({ kind: 'message', bytes: encodeError(0n, 7) });
    expect(commands.map(({ kind }) => kind)).toEqual(['notified']);
    expect(bytes).toEqual(before);
    const reply = kernel.handle({ kind: 'message', bytes: encodeError((1n << 63n) + 10n, -5) });
    expect(only(reply, 'replied').errno).toBe(5);
  });
});

describe('names and lookups', () => {
  test('a path follows lookups and renames', () => {
    const stage = new Stage();
    stage.lookup(1n, 'd', 2n, directory);
    stage.lookup(2n, 'f', 3n);
    expect(stage.kernel.cache.pathOf(nodeId(3n))).toBe('/d/f');
    stage.both('RENAME', 2n, { newdir: 1n, oldname: 'f', newname: 'g' }, {});
    expect(stage.kernel.cache.pathOf(nodeId(3n))).toBe('/g');
  });

  test('unlinking the last name forgets all lookups', () => {
    const stage = new Stage();
    stage.lookup(1n, 'f', 2n);
    stage.lookup(1n, 'f', 2n);
    expect(sentAs(stage.both('UNLINK', 1n, { name: 'f' }, {}))).toEqual(['FORGET 2*2']);
  });

  test('a hard link keeps the node when one name goes', () => {
    const stage = new Stage();
    stage.lookup(1n, 'f', 2n);
    stage.both('LINK', 1n, { oldnodeid: 2n, newname: 'g' }, entry(2n));
    expect(sentAs(stage.both('UNLINK', 1n, { name: 'f' }, {}))).toEqual([]);
    expect(stage.kernel.cache.pathOf(nodeId(2n))).toBe('/g');
    expect(sentAs(stage.both('UNLINK', 1n, { name: 'g' }, {}))).toEqual(['FORGET 2*2']);
  });

  test('an open file holds its node until RELEASE is answered', () => {
    const stage = new Stage();
    const created = stage.both('CREATE', 1n, { name: 'f', flags: 2 }, { ...entry(2n), fh: 9n });
    expect(only(created, 'replied')).toMatchObject({ errno: 0 });
    expect(sentAs(stage.both('UNLINK', 1n, { name: 'f' }, {}))).toEqual([]);
    const release = only(stage.ask('RELEASE', 2n, { fh: 9n }), 'send');
    expect(sentAs(stage.answer(release, 'RELEASE'))).toEqual(['FORGET 2*1']);
  });

  test('several forgets are one BATCH_FORGET from minor 16, single ones before', () => {
    for (const [minor, expected] of [
      [45, ['BATCH_FORGET 3*1 2*1']],
      [15, ['FORGET 3*1', 'FORGET 2*1']],
    ] as const) {
      const session = { ...newestNegotiated, minor };
      const stage = new Stage({ negotiated: session });
      stage.lookup(1n, 'a', 2n);
      stage.lookup(1n, 'b', 3n);
      expect(sentAs(stage.do({ kind: 'shrink' }), session)).toEqual(expected);
    }
  });

  test('children are forgotten before their directory', () => {
    const stage = new Stage();
    stage.lookup(1n, 'd', 2n, directory);
    stage.lookup(2n, 'f', 3n);
    expect(sentAs(stage.do({ kind: 'shrink' }))).toEqual(['BATCH_FORGET 3*1 2*1']);
  });

  test('a directory found elsewhere has moved', () => {
    const stage = new Stage();
    stage.lookup(1n, 'a', 2n, directory);
    stage.lookup(1n, 'b', 3n, directory);
    stage.lookup(3n, 'a', 2n, directory);
    expect(stage.kernel.cache.pathOf(nodeId(2n))).toBe('/b/a');
  });

  test('a nodeid with another generation is another node, and the old one is bad until it goes', () => {
    const stage = new Stage();
    stage.lookup(1n, 'a', 2n, { generation: 1n });
    const commands = stage.lookup(1n, 'b', 2n, { generation: 2n });
    expect(only(commands, 'replied').refusal).toBeUndefined();
    expect(stage.kernel.cache.nodes.size).toBe(3);
    expect(sentAs(stage.lookup(1n, 'a', 2n, { generation: 2n }))).toEqual(['FORGET 2*1']);
  });

  test('only the low half of the generation counts', () => {
    const stage = new Stage();
    stage.lookup(1n, 'a', 2n, { generation: 5n });
    stage.lookup(1n, 'a', 2n, { generation: 5n + (1n << 32n) });
    expect(stage.kernel.cache.nodes.size).toBe(2);
  });

  test('READDIRPLUS counts lookups but for dots and entries without a node', () => {
    const stage = new Stage();
    const record = (name: string, nodeid: bigint) => ({
      ...entry(nodeid),
      ino: nodeid,
      off: 1n,
      type: 8,
      name,
    });
    const entries = [record('.', 1n), record('..', 1n), record('a', 2n), record('b', 0n)];
    stage.both('READDIRPLUS', 1n, { fh: 1n, size: 4096 }, { entries });
    expect(stage.kernel.cache.pathOf(nodeId(2n))).toBe('/a');
    expect(stage.kernel.cache.nodes.size).toBe(2);
  });

  test('a LOOKUP of "." gives a lookup and no name', () => {
    const stage = new Stage();
    stage.lookup(1n, 'a', 2n);
    stage.lookup(2n, '.', 2n);
    expect(stage.kernel.cache.dentries.size).toBe(1);
    expect(sentAs(stage.do({ kind: 'shrink' }))).toEqual(['FORGET 2*2']);
  });
});

describe('a recording that is followed', () => {
  test('FORGETs that pass are counted, none is sent', () => {
    const stage = new Stage({ letGo: 'given' });
    stage.lookup(1n, 'a', 2n);
    stage.lookup(1n, 'a', 2n);
    expect(sentAs(stage.ask('FORGET', 2n, { nlookup: 1n }))).toEqual(['FORGET 2*1']);
    expect(stage.kernel.cache.nodes.size).toBe(2);
    stage.ask('BATCH_FORGET', 0n, { count: 1, items: [{ nodeid: 2n, nlookup: 1n }] });
    expect(stage.kernel.cache.nodes.size).toBe(1);
  });
});

describe('notifications', () => {
  test('INVAL_ENTRY drops a name and all below', () => {
    const stage = new Stage();
    stage.lookup(1n, 'd', 2n, directory);
    stage.lookup(2n, 'f', 3n);
    const commands = stage.notify('INVAL_ENTRY', { parent: 1n, namelen: 1, name: 'd' });
    expect(only(commands, 'notified')).toMatchObject({ name: 'INVAL_ENTRY', errno: 0 });
    expect(sentAs(commands)).toEqual(['BATCH_FORGET 3*1 2*1']);
  });

  test('what the kernel does not know is ENOENT', () => {
    const stage = new Stage();
    expect(only(stage.notify('INVAL_INODE', { ino: 7n }), 'notified').errno).toBe(Errno.ENOENT);
    const gone = stage.notify('DELETE', { parent: 1n, child: 7n, namelen: 1, name: 'x' });
    expect(only(gone, 'notified').errno).toBe(Errno.ENOENT);
  });

  test('RETRIEVE is answered with NOTIFY_REPLY under the unique of the server', () => {
    const stage = new Stage();
    stage.lookup(1n, 'f', 2n);
    const commands = stage.notify('RETRIEVE', { notifyUnique: 77n, nodeid: 2n, offset: 8192n, size: 4096 });
    const request = decodeRequest(only(commands, 'send').bytes, newestNegotiated);
    expect(request).toMatchObject({
      name: 'NOTIFY_REPLY',
      header: { unique: 77n, nodeid: 2n },
      fields: { offset: 8192n, size: 0 },
    });
  });

  test('POLL wakes its handle, PRUNE lets go, INC_EPOCH counts', () => {
    const stage = new Stage();
    expect(only(stage.notify('POLL', { kh: 5n }), 'notified').kh).toBe(5n);
    stage.lookup(1n, 'f', 2n);
    expect(sentAs(stage.notify('PRUNE', { count: 1, nodes: [{ nodeid: 2n }] }))).toEqual(['FORGET 2*1']);
    stage.notify('INC_EPOCH');
    expect(stage.kernel.cache.epoch).toBe(1);
  });

  test('an unknown code is refused', () => {
    const stage = new Stage();
    const commands = stage.do({ kind: 'message', bytes: encodeError(0n, 99) });
    expect(only(commands, 'rejected').refusal).toMatchObject({ reason: 'notification', errno: Errno.EINVAL });
  });

  test('RESEND sends what is under way once more, with bit 63, and old answers find nothing', () => {
    const stage = new Stage();
    const sent = only(stage.ask('STATFS', 1n), 'send');
    const again = only(stage.notify('RESEND'), 'send');
    const request = decodeRequest(again.bytes, newestNegotiated);
    expect(request).toMatchObject({ header: { unique: (1n << 63n) + 2n } });
    const late = stage.do({ kind: 'message', bytes: encodeError(BigInt(sent.unique), -Errno.EIO) });
    expect(only(late, 'rejected').refusal).toMatchObject({ reason: 'unknownUnique', errno: Errno.ENOENT });
    expect(only(stage.fail(again, Errno.EIO), 'replied').errno).toBe(Errno.EIO);
  });

  test('requests are sent again in the order of the hash buckets of the kernel, not of their arrival', () => {
    const stage = new Stage();
    const uniques = Array.from({ length: 6 }, () => only(stage.ask('STATFS', 1n), 'send').unique);
    const again = all(stage.notify('RESEND'), 'send').map(({ unique }) => unique);
    // hash_long(unique, 8): 2 -> 195, 4 -> 135, 6 -> 74, 8 -> 14, 10 -> 210, 12 -> 149.
    expect(uniques).toEqual([2, 4, 6, 8, 10, 12]);
    expect(again).toEqual([8, 6, 4, 12, 2, 10]);
  });
});

describe('what a server does not implement', () => {
  test('FLUSH is not sent again after ENOSYS, and the application sees success', () => {
    const stage = new Stage();
    const flush = only(stage.ask('FLUSH', 1n, { fh: 1n }), 'send');
    expect(only(stage.fail(flush, Errno.ENOSYS), 'replied').errno).toBe(0);
    expect(stage.kernel.sends('FLUSH')).toBe(false);
    expect(only(stage.ask('FLUSH', 1n, { fh: 1n }), 'withheld').errno).toBe(0);
  });

  test('files are opened without a message then, and not released', () => {
    const stage = new Stage();
    stage.lookup(1n, 'f', 2n);
    const open = only(stage.ask('OPEN', 2n, { flags: 0 }), 'send');
    expect(only(stage.fail(open, Errno.ENOSYS), 'replied')).toMatchObject({ errno: 0, file: 0 });
    expect(only(stage.ask('OPEN', 2n, { flags: 0 }), 'withheld')).toMatchObject({ errno: 0, file: 1 });
    expect(sentAs(stage.ask('READ', 2n, { fh: 0n, size: 1 }))).toEqual(['READ 2']);
    expect(only(stage.ask('RELEASE', 2n, { fh: 0n }), 'withheld').errno).toBe(0);
    expect(stage.kernel.cache.files.size).toBe(1);
  });

  test('READDIRPLUS and RENAME2 hang on what was settled', () => {
    const old = new VirtualKernel({ letGo: 'given', negotiated: { ...newestNegotiated, minor: 20 } });
    expect([old.sends('READDIRPLUS'), old.sends('RENAME2'), old.sends('READDIR')]).toEqual([
      false,
      false,
      true,
    ]);
    const flags = InitFlag.DO_READDIRPLUS;
    const now = new VirtualKernel({ letGo: 'given', negotiated: { ...newestNegotiated, flags } });
    expect([now.sends('READDIRPLUS'), now.sends('RENAME2')]).toEqual([true, true]);
    expect(new VirtualKernel({ letGo: 'given', offer: defaultOffer(20) }).sends('LSEEK')).toBe(false);
  });
});

describe('replies that the kernel refuses', () => {
  const refusalOf = (stage: Stage, bytes: Uint8Array) => {
    const commands = stage.do({ kind: 'message', bytes });
    const [rejected] = all(commands, 'rejected');
    const [replied] = all(commands, 'replied');
    return rejected?.refusal ?? replied?.refusal;
  };
  const header = (unique: bigint, error: number, length: number): Uint8Array => {
    const bytes = new Uint8Array(length);
    bytes.set(encodeError(unique, error));
    new DataView(bytes.buffer).setUint32(0, length, true);
    return bytes;
  };

  test.each([
    ['short', () => new Uint8Array(15)],
    ['length', () => header(2n, 0, 40).subarray(0, 30)],
    ['error', () => header(2n, 5, 16)],
    ['error', () => header(2n, -512, 16)],
    ['bodyOnError', () => header(2n, -5, 24)],
    ['long', () => header(2n, 0, 16 + 128 + 8)],
    ['cut', () => header(2n, 0, 16 + 120)],
    ['unknownUnique', () => header(4n, 0, 16)],
    ['unknownUnique', () => header((1n << 63n) + 2n, 0, 16)],
  ])('%s', (reason, bytes) => {
    const stage = new Stage();
    stage.ask('LOOKUP', 1n, { name: 'a' });
    expect(refusalOf(stage, bytes())).toMatchObject({ reason, by: 'device' });
  });

  test('-511 is an error like any other', () => {
    const stage = new Stage();
    stage.ask('LOOKUP', 1n, { name: 'a' });
    expect(refusalOf(stage, header(2n, -511, 16))).toBeUndefined();
  });

  test('an error out of range leaves the request waiting', () => {
    const stage = new Stage();
    const sent = only(stage.ask('STATFS', 1n), 'send');
    expect(only(stage.do({ kind: 'message', bytes: header(2n, 5, 16) }), 'rejected').tag).toBe(1);
    expect(stage.kernel.underWay).toBe(1);
    expect(only(stage.fail(sent, Errno.EIO), 'replied').errno).toBe(Errno.EIO);
  });

  test('a second reply, and one to a request that takes none', () => {
    const stage = new Stage();
    stage.fail(only(stage.ask('STATFS', 1n), 'send'), Errno.EIO);
    expect(refusalOf(stage, header(2n, -5, 16))?.reason).toBe('answered');
    stage.ask('FORGET', 9n, { nlookup: 1n });
    expect(refusalOf(stage, header(4n, -5, 16))?.reason).toBe('unawaited');
  });

  test('READ may be short but not longer than asked', () => {
    const stage = new Stage();
    stage.ask('READ', 1n, { fh: 1n, size: 10 });
    expect(refusalOf(stage, header(2n, 0, 16 + 11))?.reason).toBe('long');
    stage.ask('READ', 1n, { fh: 1n, size: 10 });
    expect(refusalOf(stage, header(4n, 0, 16))).toBeUndefined();
  });

  test('GETXATTR with size 0 wants the length and nothing else', () => {
    const stage = new Stage();
    stage.ask('GETXATTR', 1n, { size: 0, name: 'user.a' });
    expect(refusalOf(stage, header(2n, 0, 24))).toBeUndefined();
    stage.ask('GETXATTR', 1n, { size: 0, name: 'user.a' });
    expect(refusalOf(stage, header(4n, 0, 20))?.reason).toBe('cut');
  });

  test.each([
    ['nodeid', 'MKDIR', { name: 'd', mode: 0o755 }, entry(0n, directory), 'create_new_entry'],
    ['nodeid', 'MKDIR', { name: 'd', mode: 0o755 }, entry(1n, directory), 'create_new_entry'],
    ['type', 'MKDIR', { name: 'd', mode: 0o755 }, entry(2n), 'create_new_entry'],
    ['type', 'MKNOD', { name: 'f', mode: S_IFREG }, entry(2n, directory), 'create_new_entry'],
    ['attr', 'LOOKUP', { name: 'f' }, entry(2n, { mode: 0o644 }), 'fuse_lookup_name'],
    ['attr', 'LOOKUP', { name: 'f' }, entry(2n, { size: 1n << 63n }), 'fuse_lookup_name'],
    ['root', 'LOOKUP', { name: 'f' }, entry(1n, directory), 'fuse_lookup'],
    ['type', 'CREATE', { name: 'f' }, { ...entry(2n, directory), fh: 1n }, 'fuse_create_open'],
    ['count', 'WRITE', { fh: 1n, size: 1, data: new Uint8Array(1) }, { size: 2 }, 'fuse_send_write_pages'],
    ['lock', 'GETLK', { fh: 1n }, { lk: { start: 5n, end: 1n, type: 1 } }, 'convert_fuse_file_lock'],
    ['dirent', 'READDIR', { size: 999 }, { entries: [{ namelen: 3, name: 'a/b' }] }, 'parse_dirfile'],
    ['dirent', 'READDIR', { size: 999 }, { entries: [{ namelen: 0, name: '' }] }, 'parse_dirfile'],
  ] as const)('%s of %s', (reason, name, request, reply, where) => {
    const stage = new Stage();
    const commands = stage.both(name, 1n, request as never, reply as never);
    expect(only(commands, 'replied')).toMatchObject({
      errno: Errno.EIO,
      refusal: { reason, where, by: 'caller' },
    });
    expect(stage.kernel.cache.dentries.size).toBe(0);
  });

  test('a directory within itself', () => {
    const stage = new Stage();
    stage.lookup(1n, 'a', 2n, directory);
    stage.lookup(2n, 'b', 3n, directory);
    const commands = stage.lookup(3n, 'c', 2n, directory);
    expect(only(commands, 'replied')).toMatchObject({ errno: Errno.ELOOP, refusal: { reason: 'loop' } });
  });

  test('GETATTR with another type makes the node bad, and I/O on it is refused', () => {
    const stage = new Stage();
    stage.lookup(1n, 'f', 2n);
    const changed = stage.both('GETATTR', 2n, {}, { attr: { ino: 2n, mode: S_IFDIR | 0o755 } });
    expect(only(changed, 'replied').refusal).toMatchObject({ reason: 'type', where: 'fuse_do_getattr' });
    const opened = stage.ask('READ', 2n, { fh: 1n, size: 1 });
    expect(only(opened, 'withheld')).toMatchObject({ errno: Errno.EIO, by: 'fuse_file_read_iter' });
  });
});

import { describe, expect, test } from 'vitest';
import { Errno } from '#relight/base/errno.js';
import { Fattr, RenameFlag } from '#relight/protocol/flags.js';
import { operations } from '#relight/protocol/operations.js';
import { faithful } from '#relight/specimen/engine/handlers.js';
import { bytes, Conversation, optionsWith, started } from './conversation.js';

const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;

describe('session', () => {
  test('the table has one handler for each operation', () => {
    expect(Object.keys(faithful).sort()).toEqual(operations.map(({ name }) => name).sort());
  });

  test.each([8, 9, 12, 18, 22, 23, 28, 31, 36, 38, 45, 46])(
    'INIT offered 7.%i is answered with it',
    (minor) => {
      const talk = new Conversation(optionsWith());
      expect(talk.init(minor)).toMatchObject({ major: 7, minor: Math.min(minor, 45), maxWrite: 1 << 20 });
      expect(talk.ask('GETATTR', {}).attr).toMatchObject({ ino: 1n });
      expect(talk.label(talk.walk('hello.txt'))).toBe('hello.txt');
      expect(talk.ask('CREATE', { name: 'new', mode: 0o600, flags: 2 }).attr.size).toBe(0n);
    },
  );

  test('--minor keeps the answer below what the kernel offers', () => {
    const talk = new Conversation(optionsWith({ minor: 19 }));
    expect(talk.init(45).minor).toBe(19);
    expect(talk.negotiated.flags & (1n << 30n)).toBe(0n);
  });

  test('nothing is served before INIT', () => {
    const talk = new Conversation(optionsWith());
    expect(talk.errno('GETATTR', {})).toBe(Errno.EIO);
    expect(talk.errno('FORGET', { nlookup: 1n })).toBeUndefined();
  });

  test('a frame that is no request gets EINVAL, or nothing when it is too short to answer', () => {
    const { memfs } = started();
    expect(memfs.engine.handle(new Uint8Array(12))).toEqual([]);
    const [reply] = memfs.engine.handle(new Uint8Array(41).fill(1, 8, 16));
    expect(reply && new DataView(reply.buffer).getInt32(4, true)).toBe(-Errno.EINVAL);
  });

  test('DESTROY and SYNCFS succeed', () => {
    const talk = started();
    expect(talk.errno('SYNCFS', {})).toBe(0);
    expect(talk.errno('DESTROY', {})).toBe(0);
  });
});

describe('names', () => {
  test('LOOKUP finds, misses, and knows "." of a file and ".." of a directory', () => {
    const talk = started();
    const deep = talk.walk('docs/deep');
    const hello = talk.walk('hello.txt');
    expect(talk.ask('LOOKUP', { name: '..' }, { nodeid: deep }).nodeid).toBe(talk.walk('docs'));
    expect(talk.ask('LOOKUP', { name: '..' }, { nodeid: talk.walk('docs') })).toMatchObject({
      nodeid: 1n,
      generation: 0n,
    });
    expect(talk.ask('LOOKUP', { name: '.' }, { nodeid: hello }).nodeid).toBe(hello);
    expect(talk.errno('LOOKUP', { name: 'nix' })).toBe(Errno.ENOENT);
    expect(talk.errno('LOOKUP', { name: 'nix' }, { nodeid: hello })).toBe(Errno.ENOTDIR);
    expect(talk.errno('LOOKUP', { name: 'x'.repeat(256) })).toBe(Errno.ENAMETOOLONG);
  });

  test('a missing name may be cached when --negative-timeout says so', () => {
    const entry = started({ 'negative-timeout': 2.5 }).ask('LOOKUP', { name: 'nix' });
    expect(entry).toMatchObject({ nodeid: 0n, entryValid: 2n, entryValidNsec: 500_000_000 });
  });

  test('MKDIR, MKNOD, SYMLINK, LINK, CREATE make what they say, with link counts', () => {
    const talk = started();
    const made = talk.ask('MKDIR', { name: 'd', mode: 0o777, umask: 0o022 });
    expect(made.attr).toMatchObject({ mode: S_IFDIR | 0o755, nlink: 2 });
    expect(talk.ask('GETATTR', {}).attr.nlink).toBe(5);
    const nodeid = made.nodeid;
    expect(talk.ask('MKNOD', { name: 'p', mode: 0o010644, rdev: 0 }, { nodeid }).attr.mode).toBe(0o010644);
    const link = talk.ask('SYMLINK', { name: 's', target: '../hello.txt' }, { nodeid });
    expect(link.attr.size).toBe(12n);
    expect(talk.ask('READLINK', {}, { nodeid: link.nodeid }).target).toBe('../hello.txt');
    const hello = talk.walk('hello.txt');
    expect(talk.ask('LINK', { oldnodeid: hello, newname: 'h' }, { nodeid }).attr.nlink).toBe(3);
    expect(
      talk.ask('CREATE', { name: 'f', mode: S_IFREG | 0o666, umask: 0o077, flags: 2 }, { nodeid }).attr.mode,
    ).toBe(S_IFREG | 0o600);
    expect(talk.errno('MKDIR', { name: 'f', mode: 0o755 }, { nodeid })).toBe(Errno.EEXIST);
    expect(talk.errno('LINK', { oldnodeid: nodeid, newname: 'dd' })).toBe(Errno.EPERM);
    expect(talk.errno('READLINK', {}, { nodeid })).toBe(Errno.EINVAL);
  });

  test('UNLINK and RMDIR keep to files and empty directories; an open file lives on', () => {
    const talk = started();
    expect(talk.errno('UNLINK', { name: 'docs' })).toBe(Errno.EISDIR);
    expect(talk.errno('RMDIR', { name: 'hello.txt' })).toBe(Errno.ENOTDIR);
    expect(talk.errno('RMDIR', { name: 'docs' })).toBe(Errno.ENOTEMPTY);
    const nodeid = talk.walk('run.sh');
    const { fh } = talk.ask('OPEN', { flags: 0 }, { nodeid });
    expect(talk.errno('UNLINK', { name: 'run.sh' })).toBe(0);
    expect(talk.errno('UNLINK', { name: 'run.sh' })).toBe(Errno.ENOENT);
    expect(talk.ask('READ', { fh, offset: 0n, size: 6 }, { nodeid }).data).toEqual(bytes('run.sh'));
    expect(talk.ask('GETATTR', {}, { nodeid }).attr.nlink).toBe(0);
    talk.ask('RELEASE', { fh }, { nodeid });
    talk.say('FORGET', { nlookup: 1n }, { nodeid });
    expect(talk.errno('GETATTR', {}, { nodeid })).toBe(Errno.ESTALE);
  });

  test('RENAME moves, replaces and refuses; RENAME2 exchanges and does not replace', () => {
    const talk = started();
    const docs = talk.walk('docs');
    const rename = (oldname: string, newname: string, newdir: bigint, flags = 0) =>
      talk.errno('RENAME2', { oldname, newname, newdir, flags });
    expect(talk.errno('RENAME', { oldname: 'run.sh', newname: 'go.sh', newdir: docs })).toBe(0);
    expect(talk.label(talk.walk('docs/go.sh'))).toBe('run.sh');
    expect(rename('hello.txt', 'go.sh', docs, RenameFlag.NOREPLACE)).toBe(Errno.EEXIST);
    expect(rename('big.bin', 'go.sh', docs, RenameFlag.EXCHANGE)).toBe(0);
    expect(talk.label(talk.walk('big.bin'))).toBe('run.sh');
    expect(rename('empty', 'go.sh', docs)).toBe(0);
    expect(talk.contents(talk.walk('docs/go.sh'))).toBe('');
    expect(rename('docs', 'inside', talk.walk('docs/deep'))).toBe(Errno.EINVAL);
    expect(rename('docs', 'hello.txt', 1n)).toBe(Errno.ENOTDIR);
    expect(rename('hello.txt', 'docs', 1n)).toBe(Errno.EISDIR);
    expect(rename('tree', 'docs', 1n)).toBe(Errno.ENOTEMPTY);
    expect(rename('nix', 'x', 1n)).toBe(Errno.ENOENT);
    expect(rename('nix', 'x', 1n, RenameFlag.WHITEOUT)).toBe(Errno.EINVAL);
    expect(talk.errno('RENAME', { oldname: 'tree', newname: 'tree', newdir: docs })).toBe(0);
    expect(talk.ask('LOOKUP', { name: '..' }, { nodeid: talk.walk('docs/tree') }).nodeid).toBe(docs);
  });

  test('TMPFILE gives a file without a name', () => {
    const talk = started();
    const { nodeid, fh, attr } = talk.ask('TMPFILE', { name: 'ignored', mode: 0o600, flags: 2 });
    expect(attr.nlink).toBe(0);
    expect(talk.ask('WRITE', { fh, offset: 0n, data: bytes('abc') }, { nodeid }).size).toBe(3);
    expect(talk.ask('LINK', { oldnodeid: nodeid, newname: 'kept' }).attr.nlink).toBe(1);
    expect(talk.contents(talk.walk('kept'))).toBe('abc');
  });
});

describe('attributes', () => {
  test('SETATTR sets what is valid and nothing else', () => {
    const talk = started();
    const nodeid = talk.walk('hello.txt');
    const { attr } = talk.ask(
      'SETATTR',
      { valid: Fattr.MODE | Fattr.UID, mode: 0o4640, uid: 7, gid: 9 },
      { nodeid },
    );
    expect(attr).toMatchObject({ mode: S_IFREG | 0o4640, uid: 7, size: 1000n });
    expect(attr.gid).not.toBe(9);
    const cut = talk.ask('SETATTR', { valid: Fattr.SIZE, size: 9n }, { nodeid });
    expect(cut.attr).toMatchObject({ size: 9n, mode: S_IFREG | 0o4640 });
    expect(talk.contents(nodeid)).toBe('hello.txt');
    const times = talk.ask(
      'SETATTR',
      { valid: Fattr.ATIME | Fattr.MTIME, atime: 5n, mtime: 6n, mtimensec: 7 },
      { nodeid },
    );
    expect(times.attr).toMatchObject({ atime: 5n, mtime: 6n, mtimensec: 7 });
    expect(talk.errno('SETATTR', { valid: Fattr.SIZE, size: 1n }, { nodeid: talk.walk('docs') })).toBe(
      Errno.EISDIR,
    );
    expect(talk.errno('SETATTR', { valid: Fattr.SIZE, size: 1n << 62n }, { nodeid })).toBe(Errno.EFBIG);
  });

  test('STATX, STATFS, ACCESS', () => {
    const talk = started();
    const nodeid = talk.walk('hello.txt');
    expect(talk.ask('STATX', { sxMask: 0x7ff }, { nodeid }).stat).toMatchObject({
      ino: 5n,
      size: 1000n,
      nlink: 2,
    });
    expect(talk.ask('STATFS', {}).st).toMatchObject({ bsize: 4096, namelen: 255 });
    expect(talk.errno('ACCESS', { mask: 4 }, { nodeid })).toBe(0);
  });

  test('two servers of the same seed show the same store, another seed another', () => {
    const show = (seed: number) => {
      const talk = started({ seed });
      const nodeid = talk.walk('tree/dir-0002/file-000013');
      return [talk.ask('GETATTR', {}, { nodeid }).attr, talk.contents(nodeid)];
    };
    expect(show(1)).toEqual(show(1));
    expect(show(1)).not.toEqual(show(2));
  });

  test('a million files cost nothing until they are looked at', () => {
    const talk = started({ files: 1_000_000 });
    const before = talk.memfs.store.count;
    expect(talk.label(talk.walk('tree/dir-0999/file-999999'))).toBe('file-999999');
    expect(before).toBeLessThan(2_000);
    expect(talk.memfs.store.count).toBe(before + 1_000);
  });
});

describe('data', () => {
  test('WRITE and READ across chunks, past the end, and into a hole', () => {
    const talk = started();
    const { nodeid, fh } = talk.ask('CREATE', { name: 'f', mode: 0o600, flags: 2 });
    const data = new Uint8Array(200_000).map((_, at) => at % 251);
    expect(talk.ask('WRITE', { fh, offset: 50_000n, data }, { nodeid }).size).toBe(200_000);
    expect(talk.ask('GETATTR', {}, { nodeid }).attr.size).toBe(250_000n);
    const read = (offset: bigint, size: number) => talk.ask('READ', { fh, offset, size }, { nodeid }).data;
    expect(read(50_000n, 200_000)).toEqual(data);
    expect(read(0n, 50_000)).toEqual(new Uint8Array(50_000));
    expect(read(249_990n, 100)).toEqual(data.subarray(199_990));
    expect(read(1n << 60n, 100)).toHaveLength(0);
    expect(talk.errno('WRITE', { fh, offset: 1n << 62n, data }, { nodeid })).toBe(Errno.EFBIG);
  });

  test('OPEN with O_TRUNC empties the file; OPEN of a directory is refused', () => {
    const talk = started();
    const nodeid = talk.walk('hello.txt');
    talk.ask('OPEN', { flags: 0o1001 }, { nodeid });
    expect(talk.ask('GETATTR', {}, { nodeid }).attr.size).toBe(0n);
    expect(talk.errno('OPEN', { flags: 0 }, { nodeid: talk.walk('docs') })).toBe(Errno.EISDIR);
  });

  test('FALLOCATE grows, punches and keeps the size; LSEEK finds holes', () => {
    const talk = started();
    const { nodeid, fh } = talk.ask('CREATE', { name: 'f', mode: 0o600, flags: 2 });
    expect(talk.errno('FALLOCATE', { fh, offset: 0n, length: 300_000n }, { nodeid })).toBe(0);
    talk.ask('WRITE', { fh, offset: 131_072n, data: bytes('x'.repeat(65_536)) }, { nodeid });
    const seek = (offset: bigint, whence: number) =>
      talk.ask('LSEEK', { fh, offset, whence }, { nodeid }).offset;
    expect(seek(0n, 3)).toBe(131_072n);
    expect(seek(131_072n, 4)).toBe(196_608n);
    expect(talk.errno('FALLOCATE', { fh, offset: 131_072n, length: 65_536n, mode: 3 }, { nodeid })).toBe(0);
    expect(talk.errno('LSEEK', { fh, offset: 0n, whence: 3 }, { nodeid })).toBe(Errno.ENXIO);
    expect(talk.ask('GETATTR', {}, { nodeid }).attr.size).toBe(300_000n);
    expect(talk.errno('FALLOCATE', { fh, offset: 0n, length: 1n, mode: 8 }, { nodeid })).toBe(
      Errno.EOPNOTSUPP,
    );
    expect(talk.errno('LSEEK', { fh, offset: 0n, whence: 0 }, { nodeid })).toBe(Errno.EINVAL);
  });

  test('COPY_FILE_RANGE, both widths', () => {
    const talk = started({ handles: 'counter' });
    const from = talk.walk('hello.txt');
    const source = talk.ask('OPEN', { flags: 0 }, { nodeid: from }).fh;
    const to = talk.ask('CREATE', { name: 'copy', mode: 0o600, flags: 2 });
    const range = { fhIn: source, offIn: 0n, nodeidOut: to.nodeid, fhOut: to.fh, offOut: 0n, len: 500n };
    expect(talk.ask('COPY_FILE_RANGE', range, { nodeid: from }).size).toBe(500);
    const rest = { ...range, offIn: 500n, offOut: 500n, len: 9_999n };
    expect(talk.ask('COPY_FILE_RANGE_64', rest, { nodeid: from }).bytesCopied).toBe(500n);
    expect(talk.contents(to.nodeid)).toBe(talk.contents(from));
  });

  test('FLUSH, FSYNC, FSYNCDIR, BMAP', () => {
    const talk = started({ handles: 'index' });
    const nodeid = talk.walk('hello.txt');
    const { fh } = talk.ask('OPEN', { flags: 0 }, { nodeid });
    expect(talk.errno('FLUSH', { fh }, { nodeid })).toBe(0);
    expect(talk.errno('FSYNC', { fh }, { nodeid })).toBe(0);
    expect(talk.errno('BMAP', { block: 0n, blocksize: 512 }, { nodeid })).toBe(Errno.ENOSYS);
    expect(talk.errno('FSYNC', { fh: 99n }, { nodeid })).toBe(Errno.EBADF);
    const dir = talk.ask('OPENDIR', { flags: 0 });
    expect(talk.errno('FSYNCDIR', { fh: dir.fh })).toBe(0);
    expect(talk.errno('RELEASEDIR', { fh: dir.fh })).toBe(0);
    expect(talk.errno('RELEASEDIR', { fh: dir.fh })).toBe(Errno.EBADF);
  });
});

describe('directories', () => {
  test('READDIR goes on where the last record ended, whatever the size', () => {
    const talk = started();
    const { fh } = talk.ask('OPENDIR', { flags: 0 });
    const names: string[] = [];
    for (let offset = 0n; ; ) {
      const { entries } = talk.ask('READDIR', { fh, offset, size: 80 });
      if (entries.length === 0) break;
      names.push(...entries.map(({ name }) => name));
      offset = entries.at(-1)?.off ?? 0n;
    }
    expect(names.slice(0, 2)).toEqual(['.', '..']);
    expect(names).toHaveLength(new Set(names).size);
    expect(names).toContain('coloured.txt');
    expect(talk.errno('READDIR', { fh, offset: 0n, size: 31 })).toBe(Errno.EINVAL);
  });

  test('a name that is removed or added between two READDIR neither repeats nor hides another', () => {
    const talk = started();
    const { fh } = talk.ask('OPENDIR', { flags: 0 });
    const first = talk.ask('READDIR', { fh, offset: 0n, size: 160 }).entries;
    talk.ask('UNLINK', { name: first.at(-1)?.name ?? '' });
    talk.ask('CREATE', { name: 'added', mode: 0o600, flags: 2 });
    const rest = talk.ask('READDIR', { fh, offset: first.at(-1)?.off ?? 0n, size: 9_999 }).entries;
    const seen = [...first, ...rest].map(({ name }) => name);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toContain('added');
    expect(seen).toContain('tree');
  });

  test('READDIRPLUS counts a lookup for each record but "." and ".."', () => {
    const talk = started({ ids: 'counter' });
    const { fh } = talk.ask('OPENDIR', { flags: 0 });
    const { entries } = talk.ask('READDIRPLUS', { fh, offset: 0n, size: 9_999 });
    expect(entries.slice(0, 2).map(({ nodeid }) => nodeid)).toEqual([0n, 0n]);
    const hello = entries.find(({ name }) => name === 'hello.txt');
    expect(talk.walk('hello.txt')).toBe(hello?.nodeid);
    talk.say('FORGET', { nlookup: 1n }, { nodeid: hello?.nodeid ?? 0n });
    expect(talk.ask('GETATTR', {}, { nodeid: hello?.nodeid ?? 0n }).attr.size).toBe(1000n);
    talk.say('BATCH_FORGET', { items: [{ nodeid: hello?.nodeid ?? 0n, nlookup: 1n }] });
    expect(() => talk.ask('GETATTR', {}, { nodeid: hello?.nodeid ?? 0n })).toThrow('not found');
  });
});

describe('extended attributes', () => {
  test('sizes, values and errors', () => {
    const talk = started();
    const nodeid = talk.walk('coloured.txt');
    expect(talk.ask('GETXATTR', { name: 'user.colour', size: 0 }, { nodeid }).size).toBe(5);
    expect(talk.ask('GETXATTR', { name: 'user.colour', size: 64 }, { nodeid }).value).toEqual(bytes('green'));
    expect(talk.errno('GETXATTR', { name: 'user.colour', size: 4 }, { nodeid })).toBe(Errno.ERANGE);
    expect(talk.errno('GETXATTR', { name: 'user.none', size: 4 }, { nodeid })).toBe(Errno.ENODATA);
    const set = (name: string, flags: number) =>
      talk.errno('SETXATTR', { name, value: bytes('v'), flags }, { nodeid });
    expect(set('user.colour', 1)).toBe(Errno.EEXIST);
    expect(set('user.new', 2)).toBe(Errno.ENODATA);
    expect(set('user.new', 0)).toBe(0);
    expect(talk.ask('LISTXATTR', { size: 99 }, { nodeid }).value).toEqual(
      bytes('user.colour\0user.seed\0user.new\0'),
    );
    expect(talk.errno('REMOVEXATTR', { name: 'user.new' }, { nodeid })).toBe(0);
    expect(talk.errno('REMOVEXATTR', { name: 'user.new' }, { nodeid })).toBe(Errno.ENODATA);
  });
});

describe('devices', () => {
  test('IOCTL answers what file systems answer and refuses the rest', () => {
    const talk = started({ handles: 'counter' });
    const nodeid = talk.walk('hello.txt');
    const { fh } = talk.ask('OPEN', { flags: 0 }, { nodeid });
    expect(talk.ask('IOCTL', { fh, cmd: 0x80087601, outSize: 8 }, { nodeid }).out).toEqual(
      Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0),
    );
    expect(talk.errno('IOCTL', { fh, cmd: 0x5401 }, { nodeid })).toBe(Errno.ENOTTY);
  });

  test('POLL of an empty file is woken by a write', () => {
    const talk = started();
    const nodeid = talk.walk('empty');
    const { fh } = talk.ask('OPEN', { flags: 2 }, { nodeid });
    expect(talk.ask('POLL', { fh, kh: 77n, flags: 1, events: 1 }, { nodeid }).revents).toBe(0);
    const { notifications } = talk.say('WRITE', { fh, offset: 0n, data: bytes('x') }, { nodeid });
    expect(notifications).toMatchObject([{ name: 'POLL', fields: { kh: 77n } }]);
    expect(talk.ask('POLL', { fh, kh: 77n, flags: 1, events: 1 }, { nodeid }).revents).toBe(1);
    expect(talk.say('WRITE', { fh, offset: 0n, data: bytes('x') }, { nodeid }).notifications).toEqual([]);
  });
});

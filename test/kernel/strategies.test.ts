import { describe, expect, test } from 'vitest';
import { Errno } from '#relight/base/errno.js';
import { RelightError } from '#relight/base/error.js';
import { nodeId } from '#relight/base/ids.js';
import { strategies, strategyNamed } from '#relight/kernel/strategies/registry.js';
import { all, entry, only, S_IFDIR, S_IFREG, type Sent, Stage, sentAs } from './stage.js';

const directory = { mode: S_IFDIR | 0o755 };

/** /d (2) with /d/f (3) in it, /g (4), and /g open with fh 9. */
const prepared = (letGo: 'automatic' | 'given' = 'given'): Stage => {
  const stage = new Stage({ letGo });
  stage.lookup(1n, 'd', 2n, directory);
  stage.lookup(2n, 'f', 3n);
  stage.lookup(1n, 'g', 4n);
  stage.both('OPEN', 4n, { flags: 0 }, { fh: 9n });
  return stage;
};

const attributes = (mode = S_IFREG | 0o644) => ({ attr: { ino: 1n, mode } });
const path = (stage: Stage, id: bigint) => stage.kernel.cache.pathOf(nodeId(id));

describe('registry', () => {
  test('knows eight strategies and says that those by handle are not built', () => {
    expect(strategies.map(({ name }) => name).sort()).toEqual([
      'inc-epoch',
      'lazy',
      'mark-bad',
      'mark-bad-quiet',
      'resend',
      'revalidate-getattr',
      'revalidate-lookup',
      'trust',
    ]);
    expect(() => strategyNamed('handle-v1')).toThrow(/not built/);
    expect(() => strategyNamed('pray')).toThrow(RelightError);
  });
});

describe('trust', () => {
  test('sends nothing, uses old ids and leaves requests under way alone', () => {
    const stage = prepared();
    stage.ask('STATFS', 1n);
    const commands = stage.restart('trust');
    expect(sentAs(commands)).toEqual([]);
    expect(only(commands, 'recovered').tally).toMatchObject({ nodes: 3, survived: 0, lost: 0, messages: {} });
    expect(only(commands, 'abandoned')).toMatchObject({ tags: [5], outcome: 'hang' });
    expect(sentAs(stage.ask('GETATTR', 3n, {}))).toEqual(['GETATTR 3']);
    expect(sentAs(stage.ask('READ', 4n, { fh: 9n, size: 1 }))).toEqual(['READ 4']);
    expect(sentAs(stage.ask('FORGET', 3n, { nlookup: 1n }))).toEqual(['FORGET 3*1']);
  });
});

describe('resend', () => {
  test('sends requests under way again, INTERRUPT after the interrupted one', () => {
    const stage = prepared();
    const { unique } = only(stage.ask('READ', 4n, { fh: 9n, size: 1 }), 'send');
    stage.do({ kind: 'interrupt', unique });
    const commands = stage.restart('resend');
    expect(sentAs(commands)).toEqual(['READ 4', 'INTERRUPT 0']);
    const [again] = all(commands, 'send');
    expect(again).toMatchObject({ cause: 'resend', tag: 5, unique });
    expect(only(stage.answer(again as Sent, 'READ', { data: new Uint8Array(1) }), 'replied').errno).toBe(0);
  });

  test('FORGETs that were read are lost', () => {
    const stage = prepared();
    stage.ask('FORGET', 3n, { nlookup: 1n });
    expect(sentAs(stage.restart('resend'))).toEqual([]);
  });
});

describe('revalidate-getattr', () => {
  test('asks every node, the failing and the changed are lost', () => {
    const stage = prepared();
    const asked = all(stage.restart('revalidate-getattr'), 'send');
    expect(sentAs(asked)).toEqual(['GETATTR 1', 'GETATTR 2', 'GETATTR 3', 'GETATTR 4']);
    const [root, d, f, g] = asked as [Sent, Sent, Sent, Sent];
    stage.answer(root, 'GETATTR', attributes(S_IFDIR));
    stage.answer(d, 'GETATTR', attributes(S_IFREG));
    stage.answer(f, 'GETATTR', attributes());
    stage.fail(g, Errno.ESTALE);
    const { tally } = only(stage.do({ kind: 'pull', room: 1 }), 'recovered');
    expect(tally).toMatchObject({ nodes: 3, survived: 1, lost: 2, messages: { GETATTR: 4 } });
  });

  test('draws no more messages than there is room for', () => {
    const stage = prepared();
    expect(all(stage.restart('revalidate-getattr', 2), 'send')).toHaveLength(2);
    expect(all(stage.do({ kind: 'pull', room: 1 }), 'send')).toHaveLength(1);
  });

  test('a read on a file of a lost node is refused, RELEASE and locks still go out', () => {
    const stage = prepared();
    for (const sent of all(stage.restart('revalidate-getattr'), 'send')) stage.fail(sent, Errno.ENOENT);
    stage.do({ kind: 'pull', room: 1 });
    expect(only(stage.ask('READ', 4n, { fh: 9n, size: 1 }, 0), 'withheld').errno).toBe(Errno.EIO);
    expect(sentAs(stage.ask('SETLK', 4n, { fh: 9n }, 0))).toEqual(['SETLK 4']);
    expect(sentAs(stage.ask('RELEASE', 4n, { fh: 9n }, 0))).toEqual(['RELEASE 4']);
  });

  test('a judge counts survivors that are other objects', () => {
    const stage = new Stage({ letGo: 'given', judge: (_node, reply) => reply.length > 0 });
    stage.lookup(1n, 'f', 2n);
    for (const sent of all(stage.restart('revalidate-getattr'), 'send')) {
      stage.answer(sent, 'GETATTR', attributes(sent.bytes[16] === 1 ? S_IFDIR : S_IFREG));
    }
    const { tally } = only(stage.do({ kind: 'pull', room: 1 }), 'recovered');
    expect(tally).toMatchObject({ survived: 1, wronglyKept: 1 });
  });
});

describe('revalidate-lookup', () => {
  test('walks from the root; what lies below a lost directory is lost unasked', () => {
    const stage = prepared();
    const asked = all(stage.restart('revalidate-lookup'), 'send');
    expect(sentAs(asked)).toEqual(['LOOKUP 1/g', 'LOOKUP 1/d']);
    const [g, d] = asked as [Sent, Sent];
    stage.answer(g, 'LOOKUP', entry(4n));
    expect(sentAs(stage.answer(d, 'LOOKUP', entry(7n, directory)))).toEqual(['FORGET 7*1']);
    const { tally } = only(stage.do({ kind: 'pull', room: 9 }), 'recovered');
    expect(tally).toMatchObject({ nodes: 3, survived: 1, lost: 2, messages: { LOOKUP: 2 } });
  });

  test('a survivor has a lookup more', () => {
    const stage = new Stage({ letGo: 'given' });
    stage.lookup(1n, 'f', 2n);
    const [sent] = all(stage.restart('revalidate-lookup'), 'send') as [Sent];
    stage.answer(sent, 'LOOKUP', entry(2n));
    stage.do({ kind: 'pull', room: 1 });
    expect(sentAs(stage.ask('FORGET', 2n, { nlookup: 1n }))).toEqual(['FORGET 2*2']);
  });

  test('a FORGET that never was for the whole inode stays as it is', () => {
    const stage = new Stage({ letGo: 'given' });
    for (let i = 0; i < 5; i++) stage.lookup(1n, 'f', 2n);
    const [sent] = all(stage.restart('revalidate-lookup'), 'send') as [Sent];
    stage.answer(sent, 'LOOKUP', entry(2n));
    stage.do({ kind: 'pull', room: 1 });
    expect(sentAs(stage.ask('FORGET', 2n, { nlookup: 1n }))).toEqual(['FORGET 2*1']);
    expect(sentAs(stage.ask('FORGET', 2n, { nlookup: 4n }))).toEqual(['FORGET 2*5']);
  });

  test('the next use of a lost node finds by its path what is there now', () => {
    const stage = new Stage({ letGo: 'given' });
    stage.lookup(1n, 'f', 2n);
    const [sent] = all(stage.restart('revalidate-lookup'), 'send') as [Sent];
    stage.answer(sent, 'LOOKUP', entry(2n, { generation: 1n }));
    stage.do({ kind: 'pull', room: 1 });
    const lookup = only(stage.ask('GETATTR', 2n, {}, 0), 'send');
    expect(sentAs([lookup])).toEqual(['LOOKUP 1/f']);
    const commands = stage.answer(lookup, 'LOOKUP', entry(8n));
    expect(only(commands, 'moved')).toMatchObject({ from: 2n, minted: 0, to: 8n });
    expect(sentAs(commands)).toEqual(['FORGET 2*2', 'GETATTR 8']);
  });
});

describe('mark-bad', () => {
  test('lets go of every inode that nothing holds, with its old id and count', () => {
    const commands = prepared().restart('mark-bad');
    expect(sentAs(commands)).toEqual(['BATCH_FORGET 3*1 2*1']);
    expect(only(commands, 'recovered').tally).toMatchObject({ nodes: 3, survived: 0, lost: 3 });
  });

  test('ends requests under way', () => {
    const stage = prepared();
    stage.ask('STATFS', 1n);
    const { tags, outcome } = only(stage.restart('mark-bad'), 'abandoned');
    expect({ tags, outcome }).toEqual({ tags: [5], outcome: { errno: Errno.ECONNABORTED } });
  });

  test('RELEASE goes out with the old fh, then FORGET; what was forgotten is not forgotten again', () => {
    const stage = prepared();
    stage.restart('mark-bad');
    expect(sentAs(stage.ask('RELEASE', 4n, { fh: 9n }, 0))).toEqual(['RELEASE 4']);
    expect(sentAs(stage.ask('FORGET', 4n, { nlookup: 1n }, 0))).toEqual(['FORGET 4*1']);
    expect(only(stage.ask('FORGET', 3n, { nlookup: 1n }, 0), 'withheld').by).toBe('fuse_evict_inode');
  });

  test('FLUSH and READ on an open file get EIO', () => {
    const stage = prepared();
    stage.restart('mark-bad');
    expect(only(stage.ask('FLUSH', 4n, { fh: 9n }, 0), 'withheld').by).toBe('fuse_flush');
  });

  test('the next use walks the path anew, directories first, and several requests share the walk', () => {
    const stage = prepared();
    stage.restart('mark-bad');
    const first = stage.ask('GETATTR', 3n, {}, 0);
    expect(sentAs(first)).toEqual(['LOOKUP 1/d']);
    expect(stage.ask('READLINK', 3n, {}, 0)).toEqual([]);
    const second = stage.answer(only(first, 'send'), 'LOOKUP', entry(12n, directory));
    expect(sentAs(second)).toEqual(['LOOKUP 12/f']);
    const third = stage.answer(only(second, 'send'), 'LOOKUP', entry(13n));
    expect(sentAs(third)).toEqual(['GETATTR 13', 'READLINK 13']);
    expect(path(stage, 13n)).toBe('/d/f');
  });

  test('a nodeid given again means the new node to the kernel and the old one to its old user', () => {
    const stage = prepared();
    stage.restart('mark-bad');
    stage.lookup(1n, 'new', 3n);
    expect(sentAs(stage.ask('GETATTR', 3n, {}, 1))).toEqual(['GETATTR 3']);
    expect(sentAs(stage.ask('GETATTR', 3n, {}, 0))).toEqual(['LOOKUP 1/d']);
  });

  test('a path that is gone gives its error', () => {
    const stage = prepared();
    stage.restart('mark-bad');
    const lookup = only(stage.ask('GETATTR', 4n, {}, 0), 'send');
    expect(only(stage.fail(lookup, Errno.ENOENT), 'withheld').errno).toBe(Errno.ENOENT);
  });

  test('a walk that its server does not survive ends with an error', () => {
    const stage = prepared();
    stage.restart('mark-bad');
    stage.ask('GETATTR', 4n, {}, 0);
    expect(only(stage.do({ kind: 'died' }), 'withheld').errno).toBe(Errno.ECONNABORTED);
    expect(stage.kernel.underWay).toBe(0);
  });
});

describe('mark-bad-quiet', () => {
  test('never sends an old id', () => {
    const stage = prepared();
    expect(sentAs(stage.restart('mark-bad-quiet'))).toEqual([]);
    const stale = [
      stage.ask('RELEASE', 4n, { fh: 9n }, 0),
      stage.ask('FORGET', 4n, { nlookup: 1n }, 0),
      stage.ask('FORGET', 3n, { nlookup: 1n }, 0),
      stage.ask('SETLK', 4n, { fh: 9n }, 0),
      stage.ask('BATCH_FORGET', 0n, { count: 1, items: [{ nodeid: 2n, nlookup: 1n }] }, 0),
    ].flat();
    expect(stale.map(({ kind }) => kind)).toEqual(Array.from(stale, () => 'withheld'));
    expect(sentAs(stage.ask('GETATTR', 4n, {}, 0))).toEqual(['LOOKUP 1/g']);
  });
});

describe('inc-epoch', () => {
  test('looks names up anew on next use; the dropped inodes are forgotten first', () => {
    const stage = prepared();
    expect(sentAs(stage.restart('inc-epoch'))).toEqual([]);
    const first = stage.ask('GETATTR', 3n, {}, 0);
    expect(sentAs(first)).toEqual(['BATCH_FORGET 3*1 2*1', 'LOOKUP 1/d']);
    const [, lookup] = all(first, 'send') as [Sent, Sent];
    const second = stage.answer(lookup, 'LOOKUP', entry(2n, directory));
    const third = stage.answer(only(second, 'send'), 'LOOKUP', entry(3n));
    expect(sentAs(third)).toEqual(['GETATTR 3']);
    expect(stage.kernel.tally).toMatchObject({ survived: 2 });
  });

  test('leaves open files alone', () => {
    const stage = prepared();
    stage.restart('inc-epoch');
    expect(sentAs(stage.ask('READ', 4n, { fh: 9n, size: 1 }, 0))).toEqual(['READ 4']);
  });
});

describe('lazy', () => {
  test('looks the path up before a node is used, once', () => {
    const stage = prepared();
    expect(sentAs(stage.restart('lazy'))).toEqual([]);
    const first = stage.ask('GETATTR', 4n, {}, 0);
    expect(sentAs(first)).toEqual(['LOOKUP 1/g']);
    expect(stage.kernel.waiting).toBe(1);
    expect(sentAs(stage.answer(only(first, 'send'), 'LOOKUP', entry(4n)))).toEqual(['GETATTR 4']);
    expect(stage.kernel.waiting).toBe(0);
    expect(sentAs(stage.ask('GETATTR', 4n, {}, 0))).toEqual(['GETATTR 4']);
    expect(stage.kernel.tally).toMatchObject({ survived: 1, lost: 0 });
  });

  test('another node in its place is found by a second lookup', () => {
    const stage = prepared();
    stage.restart('lazy');
    const first = only(stage.ask('GETATTR', 3n, {}, 0), 'send');
    const second = stage.answer(first, 'LOOKUP', entry(20n, directory));
    expect(sentAs(second)).toEqual(['FORGET 20*1', 'LOOKUP 1/d']);
    const [, again] = all(second, 'send') as [Sent, Sent];
    expect(sentAs(stage.answer(again, 'LOOKUP', entry(20n, directory)))).toEqual(['LOOKUP 20/f']);
  });

  test('counts the lookups of what survived anew', () => {
    const stage = prepared();
    stage.restart('lazy');
    const first = only(stage.ask('GETATTR', 4n, {}, 0), 'send');
    stage.answer(first, 'LOOKUP', entry(4n));
    expect(sentAs(stage.ask('FORGET', 4n, { nlookup: 9n }, 0))).toEqual(['FORGET 4*1']);
  });

  test('an old inode whose number another path has now makes room', () => {
    const stage = prepared();
    stage.restart('lazy');
    const first = only(stage.ask('GETATTR', 4n, {}, 0), 'send');
    const [, again] = all(stage.answer(first, 'LOOKUP', entry(3n)), 'send') as [Sent, Sent];
    expect(sentAs(stage.answer(again, 'LOOKUP', entry(3n)))).toEqual(['GETATTR 3']);
    expect(stage.kernel.isFoundAnew(nodeId(4n), 0, true)).toBe(true);
    expect(stage.kernel.isFoundAnew(nodeId(3n), 0, true)).toBe(false);
    expect(sentAs(stage.ask('GETATTR', 3n, {}, 0))).toEqual(['LOOKUP 1/d']);
  });

  test('files of the old instance are refused and closed without a word', () => {
    const stage = prepared();
    stage.restart('lazy');
    expect(only(stage.ask('READ', 4n, { fh: 9n, size: 1 }, 0), 'withheld').by).toBe('lazy');
    expect(only(stage.ask('RELEASE', 4n, { fh: 9n }, 0), 'withheld').errno).toBe(0);
    expect(stage.kernel.cache.files.size).toBe(0);
  });
});

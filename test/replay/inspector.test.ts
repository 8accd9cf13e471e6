import { describe, expect, it } from 'vitest';
import { rng } from '#relight/base/rng.js';
import { changesOf } from '#relight/oracle/effects.js';
import type { Negotiated } from '#relight/protocol/negotiated.js';
import type { DriveEnd } from '#relight/replay/driver.js';
import { failedIn, liveUses, observed } from '#relight/replay/evidence.js';
import { type Asked, Inspector, type Relookup } from '#relight/replay/inspector.js';
import type { Sighting } from '#relight/replay/sighting.js';
import { Conversation, optionsWith } from '../specimen/conversation.js';

const paths = ['/docs', '/hello.txt', '/docs/deep', '/run.sh', '/nowhere', '/nowhere/below'];

/** Answers from a memfs in this process, and remembers how many questions came together. */
class Fake implements Asked {
  readonly talk: Conversation;
  readonly rounds: number[] = [];
  /** Questions until the server is gone. */
  left = Number.POSITIVE_INFINITY;

  constructor(ids: string) {
    this.talk = new Conversation(optionsWith({ ids }));
    this.talk.init();
  }

  get kernel(): { readonly negotiated: Negotiated } {
    return this.talk;
  }

  askAll(requests: readonly Uint8Array[]): Promise<(Uint8Array | DriveEnd)[]> {
    this.rounds.push(requests.length);
    return Promise.resolve(
      requests.map((request) =>
        this.left-- > 0
          ? (this.talk.memfs.engine.handle(request)[0] ?? { kind: 'hang' as const })
          : { kind: 'died' as const },
      ),
    );
  }
}

const stateOf = (sightings: readonly Sighting[], path: string): Sighting['state'] =>
  sightings.find(({ object }) => object.path === path)?.state ?? { scalars: {} };

const look = (fake: Fake, how: Relookup) => new Inspector(fake).look(paths, how, rng(1));

describe('looking things up', () => {
  it('gives the root and what is there, parents first', async () => {
    const objects = await look(new Fake('counter'), 'same');
    expect(objects.map(({ path }) => path)).toEqual(['', '/docs', '/hello.txt', '/run.sh', '/docs/deep']);
    expect(objects.map(({ nodeid }) => nodeid)).toEqual([1n, 2n, 3n, 4n, 5n]);
    expect(objects.every(({ fh }) => fh === undefined)).toBe(true);
  });

  it('is the same shuffle for the same seed, and not at all without', async () => {
    const [one, two] = [
      await look(new Fake('counter'), 'shuffled'),
      await look(new Fake('counter'), 'shuffled'),
    ];
    expect(one).toEqual(two);
    expect((await look(new Fake('counter'), 'none')).map(({ path }) => path)).toEqual(['']);
  });

  it('opens them if wanted', async () => {
    const objects = await look(new Fake('counter'), 'shuffled+open');
    expect(objects.filter(({ fh }) => fh !== undefined)).toHaveLength(4);
  });
});

describe('reading objects', () => {
  it('finds attributes, contents and names, with one round for each kind of question', async () => {
    const fake = new Fake('counter');
    const objects = await look(fake, 'same');
    fake.rounds.length = 0;
    const seen = await new Inspector(fake).read(objects, { xattrs: ['user.colour', 'user.none'] });
    expect(fake.rounds.length).toBeLessThan(10);
    expect(fake.rounds[0]).toBe(objects.length);
    expect(Buffer.from(stateOf(seen, '/hello.txt').data ?? []).toString()).toMatch(/^hello\.txt/);
    expect(stateOf(seen, '').names).toContain('hello.txt');
    expect(stateOf(seen, '/hello.txt').xattrs?.get('user.none')).toBeUndefined();
    expect(stateOf(seen, '/hello.txt').xattrs?.has('user.none')).toBe(true);
  });

  it('shows what changed in between, and only that', async () => {
    const fake = new Fake('counter');
    const objects = await look(fake, 'shuffled+open');
    const inspector = new Inspector(fake);
    const before = await inspector.read(objects);
    fake.talk.ask('SETATTR', { valid: 8, size: 0n }, { nodeid: fake.talk.walk('run.sh') });
    const after = await inspector.read(objects);
    const keyOf = (path: string): number => objects.findIndex((object) => object.path === path);
    const subjects = { meant: [keyOf('/hello.txt')], named: [] };
    const all = observed({ before, after, isAcrossRestart: false }, subjects, keyOf);
    expect(all.filter((one) => one.meant).map(({ key }) => key)).toEqual([keyOf('/hello.txt')]);
    const changed = all.filter((one) => changesOf(one.before, one.after).length > 0);
    expect(changed.map(({ key }) => key)).toEqual([keyOf('/run.sh')]);
  });
});

describe('using live ids', () => {
  const failing = { exit: undefined, waitedMs: 100 };

  it('tells which do not work any more', async () => {
    const fake = new Fake('random');
    const objects = await look(fake, 'shuffled+open');
    const inspector = new Inspector(fake);
    const before = await inspector.read(objects);
    const hello = objects.find(({ path }) => path === '/hello.txt');
    fake.talk.ask('RELEASE', { fh: hello?.fh ?? 0n }, { nodeid: hello?.nodeid ?? 0n });
    const after = await inspector.read(objects);
    const uses = liveUses({ before, after, isAcrossRestart: false }, () => 7, failing);
    const broken = uses.filter((use) => use.after.kind !== 'good');
    expect(broken).toMatchObject([{ kind: 'handle', by: 'READ', after: { kind: 'error' } }]);
    expect(failedIn(after)).toBeUndefined();
  });

  it('tells that the server ended of it', async () => {
    const fake = new Fake('counter');
    const objects = await look(fake, 'same');
    const inspector = new Inspector(fake);
    const before = await inspector.read(objects);
    fake.left = 1;
    const after = await inspector.read(objects);
    expect(failedIn(after)).toBe('ended');
    const uses = liveUses({ before, after, isAcrossRestart: false }, () => 7, failing);
    expect(uses.map((use) => use.after.kind)).toContain('ended');
  });
});

import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { RelightError } from '#relight/base/error.js';
import { lift } from '#relight/plan/lift.js';
import type { Plan } from '#relight/plan/plan.js';
import { loadPlan, savePlan } from '#relight/plan/plan-file.js';
import { readPlan } from '#relight/plan/text/read.js';
import { writePlan } from '#relight/plan/text/write.js';
import { uniqueOf } from '#relight/protocol/header.js';
import { conversation } from './arbitrary.js';
import { composedPlan } from './composed.js';
import { Conversation, DIRECTORY, FILE } from './conversation.js';
import { plain } from './plain.js';

const read = (...lines: string[]): Plan => readPlan(lines, { name: 'a.plan' });

/** A conversation with one of each kind of line. */
const everyLine = (): Conversation => {
  const talk = new Conversation();
  const flags = { major: 7, minor: 45, flags: 1 | (1 << 22), flags2: 0 };
  talk.exchange('INIT', 0n, { ...flags, maxReadahead: 131072 }, { ...flags, maxWrite: 65536, maxPages: 16 });
  talk.exchange('GETATTR', 50n, {}, { attr: { mode: FILE, size: 3n } });
  talk.lookup(1n, 'dir "x"', { nodeid: 0x7f00_0000_0010n, generation: 2n, attr: { mode: DIRECTORY } });
  const node = 0x7f00_0000_0010n;
  const create = talk.exchange(
    'CREATE',
    node,
    { name: 'new\n', mode: FILE, flags: 0o102 },
    { nodeid: 9n, fh: 0n },
  );
  talk.exchange('WRITE', 9n, { fh: 0n, data: new Uint8Array(3).fill(0xab) }, { size: 3 });
  talk.notify({ name: 'INVAL_INODE', fields: { ino: node, len: -1n } });
  talk.notify({ name: 'RETRIEVE', fields: { notifyUnique: 3n, nodeid: 9n } });
  talk.ask('NOTIFY_REPLY', 9n, { size: 0 }, 3n);
  const entries = ['.', 'new'].map((name, index) => ({
    name,
    namelen: name.length,
    nodeid: BigInt(index + 8),
  }));
  talk.exchange('READDIRPLUS', node, { fh: 1n, size: 4096 }, { entries });
  const read = talk.ask('READ', 9n, { fh: 0n, size: 4096 });
  talk.ask('INTERRUPT', 0n, { unique: 0n }, 1n);
  talk.resend(read);
  talk.put('toServer', Uint8Array.of(...create.subarray(0, 4), 99, ...create.subarray(5)));
  talk.ask('BATCH_FORGET', 0n, {
    count: 2,
    items: [
      { nodeid: 9n, nlookup: 1n },
      { nodeid: 50n, nlookup: 4n },
    ],
  });
  return talk;
};

describe('text of a plan', () => {
  test('comes back as the same plan, whatever was said', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(conversation, (talk) => {
        if (talk.frames.length === 0) return;
        const plan = lift(talk.recording, { negotiated: talk.session });
        expect(plain(read(...writePlan(plan)))).toEqual(plain(plan));
      }),
      { numRuns: 40 },
    );
  });

  test('comes back as the same plan, whatever was composed', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(composedPlan, (plan) => {
        expect(plain(read(...writePlan(plan)))).toEqual(plain(plan));
      }),
    );
  });

  test('with handshake, notifications, resent and unknown requests', () => {
    const plan = lift(everyLine().recording);
    expect(plain(read(...writePlan(plan)))).toEqual(plain(plan));
  });

  test('is for people', () => {
    const lines = [...writePlan(lift(everyLine().recording))];
    expect(lines).toContain('node %n2 0x7f0000000010 "/dir \\"x\\"" [by=1 generation=2 type=040000]');
    expect(lines).toContain('handle %h4 0 %n3 [by=2]');
    expect(lines).toContainEqual(
      expect.stringMatching(
        /^2 CREATE %n2 flags=0102 mode=0100644 name="new\\n" \[.* after=1\] => OK nodeid=%n3 fh=%h4 \[/,
      ),
    );
    expect(lines).toContainEqual(expect.stringMatching(/^3 WRITE %n3 fh=%h4 data=hex:ababab \[/));
    expect(lines).toContainEqual(expect.stringMatching(/^notice INVAL_INODE ino=0x7f0000000010 len=-1 \[/));
    expect(lines).toContainEqual(
      expect.stringMatching(/items=\[\{nodeid=%n3 nlookup=1\} \{nodeid=%n1 nlookup=4\}\]/),
    );
  });
});

describe('an edited plan', () => {
  const title = 'relight plan 1';
  const lookup = '5 LOOKUP %n0 name="a" [unique=2] => OK nodeid=%n7 [until=9]';
  const node = 'node %n7 70 "/a" [by=5]';

  test('may be written by hand, with gaps in the numbers and a changed id', () => {
    const plan = read(title, '', '# by hand', node, lookup, '9 GETATTR %n7 [unique=4 after=5]');
    expect(plan.steps.length).toBe(2);
    const [first, second] = plan.steps;
    expect(first?.mints).toMatchObject([{ symbol: 1 }]);
    expect([second?.patches[0], second?.after]).toMatchObject([{ symbol: 1, offset: 16 }, [0]]);
    expect(second?.template[16]).toBe(70);
    expect(plan.symbols.at(1)).toMatchObject({
      id: 1,
      recorded: 70n,
      mintedBy: 0,
      origin: 'step',
      path: '/a',
    });
  });

  test('may hold plain numbers where ids are', () => {
    const plan = read(title, '0 GETATTR 1234 [unique=2]', '1 READ %n0 fh=0xffff size=10 [unique=4]');
    expect([...plan.steps].map(({ patches }) => patches.length)).toEqual([0, 1]);
  });

  test('may try wrong ids in any place', () => {
    const plan = read(
      title,
      node,
      'handle %h8 80 %n7 [by=6]',
      'memory %m9 heap.middle [incarnation=1]',
      '5 LOOKUP %n0 name="a" [unique=2] => mints nodeid=%n7',
      '6 OPEN %n7 [unique=4] => mints fh=%h8',
      '7 GETATTR %h8-8^0x10 fh=%m9 [incarnation=1 unique=@6 resent=1]',
      '8 READ %n7+0x10 fh=%n7 offset=%h8 [incarnation=1 unique=6]',
      '9 opcode:99 raw=hex:2a000000630000000a0000 ids=[3:%h8+1]',
    );
    const ids = [...plan.steps].map(({ patches }) =>
      patches.map((patch) => ('symbol' in patch ? [patch.offset, patch.symbol, patch.shift] : patch.step)),
    );
    expect(ids.slice(2)).toEqual([
      [[16, 2, { add: (1n << 64n) - 8n, flip: 0x10n }], [48, 3, undefined], 1],
      [
        [16, 1, { add: 16n, flip: 0n }],
        [40, 1, undefined],
        [48, 2, undefined],
      ],
      [[3, 2, { add: 1n, flip: 0n }]],
    ]);
    expect([...plan.steps].map(({ template }) => uniqueOf(template))).toEqual([
      2n,
      4n,
      (1n << 63n) | 4n,
      6n,
      10n,
    ]);
    expect(plan.steps.at(2)?.resent).toBe(true);
    expect(plan.steps.at(1)?.mints).toMatchObject([{ symbol: 2, offset: 0 }]);
    expect(plan.symbols.at(3)?.spot).toEqual({ place: 'heap.middle', incarnation: 1 });
    expect(plain(read(...writePlan(plan)))).toEqual(plain(plan));
  });

  test('may tell nodes of a listing by name', () => {
    const listing = '5 READDIRPLUS %n0 => mints entries=[{name="a\\n" nodeid=%n7} {name="b" nodeid=%n8}]';
    const plan = read(title, node, 'node %n8 71 [by=5]', listing);
    expect(plan.steps.at(0)?.mints.map(({ name, symbol }) => [name, symbol])).toEqual([
      ['a\n', 1],
      ['b', 2],
    ]);
    expect(plain(read(...writePlan(plan)))).toEqual(plain(plan));
  });

  test.each([
    ['nothing at all', [], 'a.plan:1: expected the title "relight plan 1", found ""'],
    ['another title', ['plan'], 'a.plan:1: expected the title "relight plan 1", found "plan"'],
    ['an unknown operation', [title, '1 LOKUP'], 'a.plan:2: expected the name of an operation, found LOKUP'],
    [
      'an unknown field',
      [title, '1 LOOKUP nmae="a"'],
      /^a.plan:2: expected a field \(name, .*\), found nmae/,
    ],
    [
      'a name without quotes',
      [title, '1 LOOKUP name=a'],
      'a.plan:2: expected text in double quotes, found a',
    ],
    [
      'a number too large',
      [title, '1 READ size=0x100000000'],
      /:2: expected a number from 0 to 4294967295 for size/,
    ],
    [
      'an octal number with a 9',
      [title, '1 READ size=0129'],
      /:2: expected a number from 0 to 4294967295 for size/,
    ],
    ['half a number', [title, '1 READ fh=12x'], 'a.plan:2: expected a number or an id for fh, found 12x'],
    [
      'an undeclared node',
      [title, '1 GETATTR %n3'],
      'a.plan:2: expected a node that a line above declares, found %n3',
    ],
    [
      'a handle as node',
      [title, node, '1 GETATTR %h7'],
      /:3: expected a handle that a line above declares, found %h7/,
    ],
    [
      'a node minted as handle',
      [title, node, '5 OPEN %n0 => OK fh=%n7'],
      /:3: expected the id of a handle for fh, found that of a node/,
    ],
    [
      'a minted number beside an id',
      [title, node, '5 LOOKUP %n0 name="a" => OK nodeid=%n7+1'],
      /:3: expected an id alone for nodeid, found %n7\+1/,
    ],
    [
      'an id in a field that an old minor does not have',
      [title, 'session minor=8', node, '5 GETATTR %n0 fh=%n7'],
      /:4: expected references only in fields that the message has here, found %n7/,
    ],
    [
      'a step as node',
      [title, '1 GETATTR %n0', '2 GETATTR @1'],
      /:3: expected the id of a node for nodeid, found that of a step/,
    ],
    [
      'half a shift',
      [title, '1 GETATTR %n0+'],
      'a.plan:2: expected a number or an id, such as %n5 or %n5-8, found %n0+',
    ],
    ['a negative number', [title, '1 GETATTR %n0 [seq=-1]'], 'a.plan:2: expected a number for seq, found -1'],
    [
      'a place that no memory has',
      [title, 'memory %m1 attic'],
      /:2: expected one of heap.start, heap.middle, .*, found attic/,
    ],
    [
      'the unique of a node',
      [title, '1 GETATTR %n0 [unique=%n0]'],
      /:2: expected a number or a step, such as @7, for unique, found %n0/,
    ],
    [
      'the unique of a later step',
      [title, '1 GETATTR %n0 [unique=@2]', '2 GETATTR %n0'],
      /:2: expected the number of a step that there is, found 2/,
    ],
    [
      'a mint of what a reply never mints',
      [title, node, '5 OPEN %n0 => mints nodeid=%n7'],
      /:3: expected one of fh, found nodeid/,
    ],
    [
      'a mint by name of no record',
      [title, node, '5 READDIRPLUS %n0 => mints entries=[{nodeid=%n7}]'],
      /:3: expected name="…" first in a record/,
    ],
    [
      'ids of raw bytes that are too many',
      [title, node, '5 GETATTR raw=zero:56 ids=[- -]'],
      /:3: expected 0 items in ids that have no offset, found 2 items/,
    ],
    [
      'a missing step',
      [title, '1 GETATTR %n0 [after=0]'],
      /:2: expected the number of a step that there is, found 0/,
    ],
    [
      'a step twice',
      [title, '1 GETATTR', '1 GETATTR'],
      /:3: expected a number that no step above has, found 1/,
    ],
    ['a mint without its step', [title, node], /:2: expected the number of a step that there is, found 5/],
    [
      'an unclosed bracket',
      [title, '1 GETATTR [at=5'],
      /:2: expected "]" or one of at, .*, found the end of the line/,
    ],
    [
      'a missing file',
      [title, '1 WRITE data=file:x'],
      /:2: expected hex:…, zero:N, or file:NAME of a file that is there/,
    ],
    [
      'an unknown error',
      [title, '1 GETATTR => EWHAT'],
      /:2: expected OK, the name of an error, or raw=…, found EWHAT/,
    ],
    [
      'a late session',
      [title, '1 GETATTR', 'session minor=3'],
      /:3: expected the session before the first step/,
    ],
    ['something after the end', [title, '1 GETATTR ]'], 'a.plan:2: expected the end of the line, found ]'],
  ])('%s is an error with its place', (_what, lines, message) => {
    expect(() => read(...lines)).toThrow(message);
    expect(() => read(...lines)).toThrow(RelightError);
  });

  test('any damage is an error or a plan', { timeout: 120_000 }, () => {
    const lines = [...writePlan(lift(everyLine().recording))];
    fc.assert(
      fc.property(fc.nat(lines.length - 1), fc.nat(400), fc.string({ maxLength: 3 }), (which, at, text) => {
        const damaged = lines.map((line, index) =>
          index === which
            ? line.slice(0, at % (line.length + 1)) + text + line.slice((at % (line.length + 1)) + 1)
            : line,
        );
        try {
          read(...damaged);
        } catch (error) {
          expect(error).toBeInstanceOf(RelightError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('a plan in a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'relight-plan-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('keeps long contents beside it, each once, for the owner only', () => {
    const talk = everyLine();
    for (let index = 0; index < 2; index++)
      talk.exchange('WRITE', 1n, { fh: 1n, data: new Uint8Array(5000).fill(7) }, { size: 5000 });
    const plan = lift(talk.recording);
    const path = join(folder, 'a.plan');
    savePlan(path, plan);
    expect(plain(loadPlan(path))).toEqual(plain(plan));
    const files = readdirSync(`${path}.data`).map((name) => statSync(join(`${path}.data`, name)));
    expect(files.filter(({ size }) => size === 5000)).toHaveLength(1);
    expect(files.every(({ mode }) => (mode & 0o777) === 0o600)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('that cannot be read or written is an error', () => {
    expect(() => loadPlan(join(folder, 'none.plan'))).toThrow(/cannot read .*none.plan: no such file/);
    const plan = lift(everyLine().recording);
    expect(() => savePlan(join(folder, 'no', 'x.plan'), plan)).toThrow(RelightError);
  });
});

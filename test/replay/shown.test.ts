/**
 * Ids that look safe until something moves: stores that changed while the server was down, and handles that outlive it. The
 * store is real, and changed by the file system's own tools.
 */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { strategyNamed } from '#relight/kernel/strategies/registry.js';
import type { StrategyName } from '#relight/kernel/strategies/strategy.js';
import type { Tally } from '#relight/kernel/tally.js';
import type { ReplayResult } from '#relight/replay/result.js';
import { test } from '../support/leak-guard.js';
import { program, realKernel, requires } from '../support/needs.js';
import { root } from '../support/root.js';
import { atEnd, CURTAIN, memfs, recordPlan, run } from './stage.js';
import { type Subject, subject, verdicts } from './subjects.js';

const limit = { timeout: 90_000 };
/** Operations that look at a node and carry no handle. */
const onNodes = ['GETATTR', 'OPEN'];

/** Looks names up, and opens nothing. */
const lookUp = (...names: readonly string[]): string =>
  [`cd "$RELIGHT_MOUNT" && stat ${names.join(' ')} >/dev/null`, `stat ${CURTAIN} 2>/dev/null`, 'true'].join(
    '\n',
  );

const quoted = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(' ');

/** A shell command that mounts the server without relight, and runs another one in its file system. */
const inMount = (command: readonly string[], change: string): string =>
  `bash '${join(root, 'test/servers/bare.sh')}' 'cd "$RELIGHT_MOUNT" && ${change}' -- ${quoted(command)} 2>/dev/null`;

/**
 * Puts another file in the place of one, and fails when that has another inode number. The number is free once the kernel
 * has forgotten the old one, which it does in its own time.
 */
const replaced = (name: string): string =>
  [
    `ino=$(stat -c %i ${name}) && rm ${name} && sleep 0.3 && printf "quite another file" >${name}`,
    `test $(stat -c %i ${name}) = $ino`,
  ].join(' && ');

const tallyOf = ({ restarts }: ReplayResult): Partial<Tally> => {
  const { survived = 0, lost = 0, wronglyKept = 0 } = restarts[0]?.tally ?? {};
  return { survived, lost, wronglyKept };
};

describe('fuse-overlayfs without address randomisation', () => {
  test('looks safe until a name is added in front', limit, async ({ folder, skip }) => {
    const workload = lookUp('a0', 'a1', 'a2', 'a3', 'a4', 'a5');
    const { ask, store } = await subject('fuse-overlayfs', { folder, skip }, workload);
    const snapshot = ['lower', 'upper', 'work'].map((layer) => join(store, layer));
    const orders = { aslr: 'off', relookup: 'same', probes: 'read', probeLimit: 6, snapshot } as const;
    expect(verdicts(await ask(orders), ...onNodes)).toEqual(['recovered']);
    const moved = await ask({ ...orders, whileDown: 'add-first' });
    expect(verdicts(moved, ...onNodes)).toContain('wrong-object');
  });
});

describe('lowntfs-3g', () => {
  test(
    'a file replaced while down has the nodeid and the generation of the old one',
    limit,
    async ({ folder, skip }) => {
      const { ask, command } = await subject('lowntfs-3g', { folder, skip }, lookUp('a3'));
      const between = inMount(command, replaced('a3'));
      const orders = { relookup: 'same', probes: 'read', between } as const;
      expect(verdicts(await ask(orders), ...onNodes)).toEqual(['wrong-object']);
      // The walk finds nothing amiss, so nodeid and generation are the same.
      const walked = await ask({ ...orders, strategy: strategyNamed('revalidate-lookup') });
      expect(tallyOf(walked)).toEqual({ survived: 1, lost: 0, wronglyKept: 1 });
    },
  );
});

describe('fuse2fs, an inode given to another file by debugfs', () => {
  const files = ['a0', 'a1', 'a2', 'a3', 'a4', 'a5'];

  /** Deletes a3, writes another file under a name, wants it to have the number of a3, and has the image checked. */
  const givenTo = ({ store }: Subject, name: string, folder: string): string => {
    const image = join(store, 'image.ext4');
    const other = join(folder, 'other');
    const script = join(folder, 'script');
    writeFileSync(other, 'another file altogether\n');
    writeFileSync(script, ['stat /a3', 'rm /a3', `write ${other} /${name}`, `stat /${name}`].join('\n'));
    return [
      `numbers=$(/sbin/debugfs -w -f ${script} ${image} 2>/dev/null | grep -o "^Inode: [0-9]*")`,
      'test $(echo "$numbers" | wc -l) = 2 && test $(echo "$numbers" | sort -u | wc -l) = 1',
      `/sbin/e2fsck -fy ${image} >/dev/null 2>&1; test $? -le 1`,
    ].join(' && ');
  };

  /** Verdicts on nodes, each once, and what the strategy kept, by strategy. */
  const table = async (asked: Subject, between: string, names: readonly StrategyName[]) => {
    const rows: Record<string, unknown> = {};
    for (const name of names) {
      const strategy = strategyNamed(name);
      const result = await asked.ask({ strategy, relookup: 'same', probes: 'read', probeLimit: 6, between });
      rows[name] = [tallyOf(result), ...verdicts(result, ...onNodes)];
    }
    return rows;
  };

  const none = { survived: 0, lost: 0, wronglyKept: 0 };

  test('of the same name: no strategy that asks the server notices', limit, async ({ folder, skip }) => {
    requires({ skip }, program('debugfs'), program('e2fsck'));
    const asked = await subject('fuse2fs', { folder, skip }, lookUp(...files));
    expect(asked.plan.symbols.at(1)).toMatchObject({ generation: 0n });
    const names = ['trust', 'resend', 'revalidate-getattr', 'revalidate-lookup', 'inc-epoch'] as const;
    // Nodeids count up in the order of lookups, and the generation is always 0: a walk finds them all as they were.
    expect(await table(asked, givenTo(asked, 'a3', folder), names)).toMatchObject({
      trust: [none, 'recovered', 'wrong-object'],
      resend: [none, 'recovered', 'wrong-object'],
      'revalidate-getattr': [{ survived: 6, lost: 0, wronglyKept: 1 }, 'recovered', 'wrong-object'],
      'revalidate-lookup': { 0: { survived: 6, lost: 0, wronglyKept: 1 } },
      'inc-epoch': [none, 'not-sent'],
    });
  });

  test('of another name: those after it have moved up by one', limit, async ({ folder, skip }) => {
    requires({ skip }, program('debugfs'), program('e2fsck'));
    const asked = await subject('fuse2fs', { folder, skip }, lookUp(...files));
    const names = ['trust', 'revalidate-lookup', 'mark-bad-quiet'] as const;
    expect(await table(asked, givenTo(asked, 'zz', folder), names)).toMatchObject({
      trust: [none, 'abort', 'recovered', 'wrong-object'],
      'revalidate-lookup': { 0: { survived: 3, lost: 3, wronglyKept: 0 } },
      'mark-bad-quiet': { 0: { survived: 0, lost: 6, wronglyKept: 0 } },
    });
  });
});

describe('memfs, an inode number given to another file of the same name', () => {
  const replacing = async (ids: string, folder: string) => {
    const store = join(folder, ids);
    const command = memfs('--ids', ids, '--store', store, '--reuse-inos');
    const plan = await recordPlan(command, { folder, workload: lookUp('big.bin') });
    const between = inMount(command, replaced('big.bin'));
    return (name: StrategyName): Promise<ReplayResult> => {
      const orders = {
        ...atEnd(plan),
        relookup: 'same',
        probes: 'read',
        snapshot: [store],
        between,
      } as const;
      return run(plan, { ...orders, command, strategy: strategyNamed(name) });
    };
  };

  test('without generations nobody notices', limit, async ({ folder, skip }) => {
    requires({ skip }, realKernel);
    const ask = await replacing('inode', folder);
    expect(verdicts(await ask('trust'), ...onNodes)).toEqual(['wrong-object']);
    expect(tallyOf(await ask('revalidate-lookup'))).toEqual({ survived: 1, lost: 0, wronglyKept: 1 });
  });

  test(
    'with them revalidate-lookup does, and the server refuses the old id',
    limit,
    async ({ folder, skip }) => {
      requires({ skip }, realKernel);
      const ask = await replacing('inode+generation', folder);
      const caught = await ask('revalidate-lookup');
      expect(tallyOf(caught)).toEqual({ survived: 0, lost: 1, wronglyKept: 0 });
      expect(caught.outcome).toBe('same');
      expect(verdicts(await ask('trust'), ...onNodes)).toEqual(['rejected']);
    },
  );
});

describe('a stale handle beside a nodeid that is right', () => {
  /** a0 is open throughout; after a while, when nothing is cached any more, a1 is opened too, and a0 written to. */
  const workload = [
    'cd "$RELIGHT_MOUNT" && exec 3<>a0 && head -c 4 <&3 >/dev/null',
    'sleep 1.5; exec 4<>a1; stat a0 >/dev/null',
    'printf "meant for a0" >&3',
    `stat ${CURTAIN} 2>/dev/null`,
    'true',
  ].join('\n');

  /** Names of files in the store that hold what was meant for a0. */
  const hit = (store: string): string[] =>
    readdirSync(store, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .filter(({ parentPath, name }) =>
        readFileSync(join(parentPath, name), 'latin1').includes('meant for a0'),
      )
      .map(({ name }) => name);

  /** Steps of an operation, first one first. */
  const steps = ({ plan }: Subject, name: string): number[] =>
    [...plan.steps].flatMap(({ op, index }) => (op?.name === name ? [index] : []));

  test(
    'memfs: a file that has the number now is cut, unless numbers are random',
    limit,
    async ({ folder, skip }) => {
      requires({ skip }, realKernel);
      const cut = `cd "$RELIGHT_MOUNT" && find . >/dev/null && truncate -s 0 big.bin; stat ${CURTAIN} 2>/dev/null; true`;
      const outcome = async (ids: string): Promise<string[]> => {
        const command = memfs('--ids', ids);
        const plan = await recordPlan(command, { folder, workload: cut });
        const index = [...plan.steps].findIndex(({ op }) => op?.name === 'SETATTR');
        const restarts = [{ index, moment: 'before' }] as const;
        // With this seed the old number of big.bin falls to a file.
        const result = await run(plan, { command, restarts, relookup: 'shuffled+open', seed: 4 });
        return verdicts(result, 'SETATTR', 'RELEASE');
      };
      expect(await outcome('counter')).toEqual(['poison', 'wrong-object']);
      expect(await outcome('random')).toEqual(['rejected']);
    },
  );

  test('bindfs: a file that has the descriptor number now is written to', limit, async ({ folder, skip }) => {
    const asked = await subject('bindfs', { folder, skip }, workload);
    // The new incarnation looks a1 up and opens it, looks a0 up, and then hears of a handle that it gave to a1.
    const opened = steps(asked, 'OPEN').at(-1) ?? 0;
    const index = steps(asked, 'LOOKUP').findLast((step) => step < opened) ?? 0;
    const restarts = [{ index, moment: 'before' }] as const;
    const { judgements } = await asked.ask({ restarts, probes: 'none', snapshot: [] });
    expect(judgements.filter(({ op }) => op === 'WRITE')).toMatchObject([
      { idKind: 'handle', verdict: 'wrong-object' },
    ]);
    expect(hit(asked.store)).toEqual(['a1']);
  });

  test('fuse-overlayfs: the same, where addresses repeat', limit, async ({ folder, skip }) => {
    const asked = await subject('fuse-overlayfs', { folder, skip }, workload);
    const restarts = [{ index: steps(asked, 'WRITE').at(0) ?? 0, moment: 'before' }] as const;
    const orders = { aslr: 'off', relookup: 'shuffled+open', probes: 'none', snapshot: [] } as const;
    const result = await asked.ask({ ...orders, restarts });
    expect(verdicts(result, 'WRITE')).toEqual(['wrong-object']);
    expect(hit(asked.store)).toEqual([expect.not.stringMatching('a0')]);
  });
});

/**
 * What real servers are known to do with ids of an earlier life, each with its reason in the server's source: the replay has
 * to find exactly that. Stores are disposable.
 */

import { describe, expect } from 'vitest';
import { strategyNamed } from '#relight/kernel/strategies/registry.js';
import type { ReplayOptions } from '#relight/replay/options.js';
import { catalogue } from '../servers/catalogue.js';
import { test } from '../support/leak-guard.js';
import { specimen, subject, verdicts } from './subjects.js';

/** Operations that look at a node and carry no handle. */
const onNodes = ['GETATTR', 'OPEN', 'OPENDIR'];
const limit = { timeout: 60_000 };

describe('trust', () => {
  test('passthrough_ll: nodeids are pointers', limit, async ({ folder, skip }) => {
    const context = { folder, skip };
    const { plan, ask } = await subject('passthrough_ll', context);
    const nodes = [...plan.symbols].filter(({ kind, id }) => kind === 'node' && id > 0);
    expect(nodes.every(({ recorded }) => recorded > 1n << 32n)).toBe(true);
    expect(verdicts(await ask({ aslr: 'on' }), ...onNodes)).toEqual(['crash']);
    expect(verdicts(await ask({ aslr: 'off' }), ...onNodes)).toContain('wrong-object');
  });

  for (const name of ['bindfs', 'fuse2fs'])
    test(`${name}: nodeids are a counter`, limit, async ({ folder, skip }) => {
      const context = { folder, skip };
      const { ask } = await subject(name, context);
      const unknown = await ask({ relookup: 'none', probes: 'read' });
      expect(verdicts(unknown, ...onNodes)).toEqual(['abort']);
      const shuffled = await ask({ relookup: 'shuffled' });
      expect(verdicts(shuffled, ...onNodes)).toContain('wrong-object');
      expect(verdicts(shuffled, ...onNodes)).not.toContain('abort');
      // SETATTR size=0 truncates another file.
      expect(verdicts(shuffled, 'SETATTR')).toContain('wrong-object');
    });

  test(
    'bindfs: handles are descriptors, directory handles pointers, a stale FORGET is a bomb',
    limit,
    async ({ folder, skip }) => {
      const context = { folder, skip };
      const { ask } = await subject('bindfs', context);
      const opened = await ask({ relookup: 'shuffled+open' });
      expect(verdicts(opened, 'READ')).toContain('wrong-object');
      expect(verdicts(opened, 'WRITE')).toEqual(['wrong-object']);
      expect(verdicts(opened, 'RELEASE')).toEqual(['poison']);
      expect(verdicts(opened, 'READDIR', 'RELEASEDIR')).toEqual(['crash']);
      expect(verdicts(opened, 'FORGET')).toEqual(['abort']);
    },
  );

  test(
    'squashfuse_ll: nodeids are places in the image, handles pointers',
    limit,
    async ({ folder, skip }) => {
      const context = { folder, skip };
      const { ask } = await subject('squashfuse_ll', context);
      const result = await ask({ relookup: 'shuffled' });
      expect(verdicts(result, ...onNodes)).toEqual(['recovered']);
      expect(verdicts(result, 'READDIR', 'RELEASEDIR')).toEqual(['crash']);
    },
  );

  test('gocryptfs: an unknown nodeid is a panic', limit, async ({ folder, skip }) => {
    const context = { folder, skip };
    const { ask } = await subject('gocryptfs', context);
    expect(verdicts(await ask({ probes: 'read' }), 'OPENDIR')).toEqual(['abort']);
  });

  test('lowntfs-3g: nodeids are records of the file table', limit, async ({ folder, skip }) => {
    const context = { folder, skip };
    const { ask } = await subject('lowntfs-3g', context);
    expect(verdicts(await ask({ relookup: 'shuffled' }), ...onNodes)).toEqual(['recovered']);
  });

  test(
    'rclone: an unknown nodeid is refused, a known one is whoever has it now',
    limit,
    async ({ folder, skip }) => {
      const context = { folder, skip };
      const { ask } = await subject('rclone', context);
      expect(verdicts(await ask({ probes: 'read' }), ...onNodes)).toEqual(['rejected']);
      expect(verdicts(await ask({ relookup: 'shuffled' }), ...onNodes)).toContain('wrong-object');
    },
  );

  test('memfs --ids random refuses them all', limit, async ({ folder, skip }) => {
    const context = { folder, skip };
    const { ask } = await specimen('random', context);
    for (const relookup of ['none', 'shuffled+open'] as const) {
      const result = await ask({ relookup });
      expect(result.outcome).toBe('same');
      expect(['not-sent', 'recovered', 'rejected']).toEqual(expect.arrayContaining(verdicts(result)));
      expect(verdicts(result)).toContain('rejected');
    }
  });

  test('memfs --ids address is not safe', limit, async ({ folder, skip }) => {
    const context = { folder, skip };
    const { ask } = await specimen('address', context);
    expect((await ask({ relookup: 'shuffled' })).outcome).toBe('unsafe');
  });
});

describe('mark-bad', () => {
  const markBad = strategyNamed('mark-bad');
  const quiet = strategyNamed('mark-bad-quiet');
  /** Everything that the new incarnation could spoil is there. */
  const full: Partial<ReplayOptions> = { relookup: 'shuffled+open' };

  for (const { name } of catalogue)
    test(`${name}: safe only when nothing stale is sent`, limit, async ({ folder, skip }) => {
      const context = { folder, skip };
      const { ask } = await subject(name, context);
      const silent = await ask({ ...full, strategy: quiet });
      expect(silent.outcome).toBe('same');
      expect(verdicts(silent, 'RELEASE', 'RELEASEDIR', 'READDIR', 'FORGET')).toEqual(['not-sent']);
      const loud = await ask({ ...full, strategy: markBad });
      expect(loud.outcome).toBe('unsafe');
    });
});

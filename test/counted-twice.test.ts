/** The statistics of a recording agree with a count by other means: what strace saw the server read and write. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { test } from './support/leak-guard.js';
import { program, realKernel, requires } from './support/needs.js';
import { jsonOf, runRelight } from './support/relight.js';
import { countedCalls, fuseHeader, underStrace } from './support/strace.js';

/** Many operations, some in vain. The last is answered after all that the kernel sends without waiting. */
const workload = `cd "$RELIGHT_MOUNT" && for i in $(seq 40); do echo $i > f$i; cat f$i none$i; done
mkdir d && mv f1 d/g && ln -s d/g link && readlink link && chmod 600 f2 && ls -lR
rmdir d; dd if=/dev/zero of=big bs=64k count=16 && dd if=big of=/dev/null bs=64k && rm big f3
cd / && sleep 0.2 && stat "$RELIGHT_MOUNT/absent"; true`;

const figuresOf = (stats: Record<string, unknown>): Record<string, unknown> => {
  const perOp = Object.entries(stats['perOp'] ?? {}).map(
    ([name, { count, errors, toServerBytes, toKernelBytes }]) =>
      [name, { count, errors, toServerBytes, toKernelBytes }] as const,
  );
  return Object.fromEntries(perOp);
};

test('bindfs: requests, errors and bytes of each operation', { timeout: 60_000 }, async ({
  folder,
  skip,
}) => {
  requires({ skip }, realKernel, ...['bindfs', 'strace', fuseHeader].map(program));
  const [trace, log] = [join(folder, 't.rlt'), join(folder, 'calls')];
  const [source, point] = [join(folder, 'source'), join(folder, 'point')];
  mkdirSync(source);
  mkdirSync(point);
  writeFileSync(join(source, 'old'), 'content\n');
  const server = underStrace(log, ['bindfs', '-f', source, point]);
  const recorded = await runRelight(['record', '-o', trace, '-w', workload, '--', ...server]);
  expect(recorded.status, recorded.stderr).toBe(0);
  const stats = jsonOf(await runRelight(['stats', trace, '--json']));
  const counted = countedCalls(log);
  expect(figuresOf(stats)).toEqual(counted);
  expect(Object.keys(counted).length).toBeGreaterThan(15);
  const total = Object.values(counted).reduce((sum, { count }) => sum + count, 0);
  expect(stats).toMatchObject({ requests: total, dropped: 0, undecoded: 0 });
  expect(total).toBeGreaterThan(300);
});

/** A server that is not to be trusted cannot spoil what is not its own. Shell scripts stand in for servers. */

import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { closeEnd } from '#relight/transport/channel.js';
import { Launcher } from '#relight/transport/launch.js';
import { test } from '../support/leak-guard.js';
import { requires, rootUser } from '../support/needs.js';

/** Runs a script as often as there are entries in `before`, each of which is called before its start; gives its last words. */
const runScript = async (
  script: string,
  {
    writable,
    words = ['{mnt}'],
    before = [() => undefined],
  }: {
    readonly writable: readonly string[];
    readonly words?: readonly string[];
    readonly before?: readonly (() => void)[];
  },
): Promise<string[]> => {
  const command = ['sh', '-c', script, ...words];
  const launcher = await Launcher.open({ command, mode: 'pretend', sandbox: { writable } });
  try {
    expect(launcher.sandboxTrouble).toBeUndefined();
    const said: string[] = [];
    for (const prepare of before) {
      prepare();
      const server = await launcher.launch();
      await server.waitForExit(5000);
      await server.end({ graceMs: 0 });
      closeEnd(server.channel.ours);
      launcher.handedOver();
      said.push(...server.stderr.lines());
    }
    return said;
  } finally {
    await launcher.close();
  }
};

const stage = (folder: string): { readonly store: string; readonly precious: string } => {
  const store = join(folder, 'store');
  const precious = join(folder, 'precious');
  mkdirSync(store);
  writeFileSync(precious, 'precious\n');
  chmodSync(precious, 0o644);
  return { store, precious };
};

/** Tries to spoil $P in every way and to write where it may. */
const SPOIL = [
  'rm -f "$1"; echo bad >"$1"; mv "$1" "$1.moved"; chmod 777 "$1"; touch "$1.new"',
  'echo good >"$2/file"; mkdir "$2/folder"; mv "$2/folder" "$2/moved"',
].join('\n');

for (const [way, words] of [
  ['that mounts itself', ['{mnt}']],
  ['that gets a descriptor', ['/dev/fd/{fd}']],
] as const)
  describe(`a server ${way}`, () => {
    test('changes its store and nothing else', async ({ folder, skip }) => {
      requires({ skip }, rootUser);
      const { store, precious } = stage(folder);
      await runScript(SPOIL, { writable: [store], words: [words[0], precious, store] });
      expect(readFileSync(precious, 'utf8')).toBe('precious\n');
      expect(statSync(precious).mode & 0o777).toBe(0o644);
      expect(existsSync(`${precious}.new`)).toBe(false);
      expect(readFileSync(join(store, 'file'), 'utf8')).toBe('good\n');
      expect(existsSync(join(store, 'moved'))).toBe(true);
    });
  });

describe('a sandbox', () => {
  test('gives a directory for temporary files and caches, and a /dev/shm of its own', async ({
    folder,
    skip,
  }) => {
    requires({ skip }, rootUser);
    const script =
      'echo t >"$TMPDIR/t" && echo c >"$XDG_CACHE_HOME/c" && echo m >/dev/shm/relight-test; echo $? >&2';
    expect(
      await runScript(`${script}; cat /dev/shm/relight-test >/dev/null || echo gone >&2`, {
        writable: [folder],
      }),
    ).toEqual(['0']);
    expect(existsSync('/dev/shm/relight-test')).toBe(false);
  });

  test('has a writable mount point, devices, and the current directory', async ({ folder, skip }) => {
    requires({ skip }, rootUser);
    const script = 'touch "$0/x" && rm "$0/x" && echo x >/dev/null && pwd >&2';
    expect(await runScript(script, { writable: [folder] })).toEqual([process.cwd()]);
  });

  test('lets a store be replaced between two starts', async ({ folder, skip }) => {
    requires({ skip }, rootUser);
    const { store } = stage(folder);
    const image = join(store, 'image');
    const replaced = [
      () => writeFileSync(image, ''),
      () => {
        rmSync(image);
        writeFileSync(image, '');
      },
      () => {
        writeFileSync(`${image}.new`, '');
        renameSync(`${image}.new`, image);
      },
      () => {
        rmSync(store, { recursive: true });
        mkdirSync(store);
        writeFileSync(image, '');
      },
    ];
    const script = 'echo x >>"$1" && cat "$1" >&2; touch "$1.beside" 2>/dev/null && echo beside >&2';
    const said = await runScript(script, { writable: [image], words: ['{mnt}', image], before: replaced });
    expect(said).toEqual(['x', 'x', 'x', 'x']);
    expect(readFileSync(image, 'utf8')).toBe('x\n');
  });

  test('leaves no core and lets the server be the first to go', async ({ folder, skip }) => {
    requires({ skip }, rootUser);
    const script = 'sleep 0.2; ulimit -c >&2; ulimit -f >&2; cat /proc/self/oom_score_adj >&2';
    // The shell counts in blocks of 512 bytes.
    expect(await runScript(script, { writable: [folder] })).toEqual(['0', 'unlimited', '1000']);
  });

  test('does not close this process in', async ({ folder, skip }) => {
    requires({ skip }, rootUser);
    const { precious } = stage(folder);
    await runScript('true', { writable: [], before: [() => writeFileSync(precious, 'ours\n')] });
    expect(readFileSync(precious, 'utf8')).toBe('ours\n');
  });
});

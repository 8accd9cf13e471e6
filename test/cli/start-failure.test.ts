import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { memfs } from '../replay/stage.js';
import { test } from '../support/leak-guard.js';
import { runRelight } from '../support/relight.js';
import { root } from '../support/root.js';

/** What a replay of a tour says that is asked of a server which does not start. */
const refusal = async (folder: string, ...command: readonly string[]): Promise<string> => {
  const trace = join(folder, 't.rlt');
  expect(await runRelight(['tour', '-o', trace, '--', ...memfs()])).toMatchObject({ status: 0 });
  const { status, stderr } = await runRelight(['replay', trace, '--', ...command]);
  expect(status).toBe(3);
  return stderr;
};

describe('a server that does not start', () => {
  test('is quoted when it refuses INIT', async ({ folder }) => {
    const garbage = join(root, 'test/fixtures/garbage-server.mjs');
    expect(await refusal(folder, process.execPath, garbage, '{fd}', '71')).toContain(
      'answered INIT with EPROTO',
    );
  });

  test('may lack what the sandbox keeps from it', async ({ folder }) => {
    const script = 'echo "cannot write /var/x: Read-only file system" >&2; exit 4';
    const text = await refusal(folder, 'sh', '-c', script);
    expect(text).toContain('sh exited with status 4 before it could answer INIT');
    expect(text).toContain('--writable PATH');
  });
});

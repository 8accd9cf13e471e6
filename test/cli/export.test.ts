/** `export` and `redact` of a conversation with memfs: files that go to others. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { converse } from '#relight/cli/demo/conversation.js';
import { test } from '../support/leak-guard.js';
import { program, requires } from '../support/needs.js';
import { mustRun } from '../support/program.js';
import { jsonOf, runRelight } from '../support/relight.js';
import { relightMain } from '../support/root.js';

const recorded = async (folder: string): Promise<string> => {
  const trace = join(folder, 't.rlt');
  await converse(trace, [process.execPath, relightMain, 'specimen', 'memfs', '/dev/fd/{fd}']);
  return trace;
};

describe('export', () => {
  test('json: one document with the context and every frame', async ({ folder }) => {
    const trace = await recorded(folder);
    const document = jsonOf(await runRelight(['export', trace, '--to', 'json']));
    const stats = jsonOf(await runRelight(['stats', trace, '--json']));
    expect(document).toMatchObject({ header: { formatVersion: 1, argv: expect.any(Array) }, dropped: 0 });
    expect(document['frames']).toHaveLength(Number(stats['frames']));
  });

  test('pcapng: a packet a frame, as tshark counts them', async ({ folder, skip }) => {
    requires({ skip }, program('tshark'));
    const trace = await recorded(folder);
    const out = join(folder, 't.pcapng');
    await runRelight(['export', trace, '--to', 'pcapng', '-o', out]);
    const stats = jsonOf(await runRelight(['stats', trace, '--json']));
    const fields = ['-T', 'fields', '-e', 'frame.packet_flags_direction', '-e', 'frame.comment'];
    const packets = (await mustRun(['tshark', '-r', out, ...fields])).trimEnd().split('\n');
    expect(packets).toHaveLength(Number(stats['frames']));
    expect(packets[0]).toMatch(/^0x0*1\tINIT #2 /);
    expect(packets[1]).toMatch(/^0x0*2\tINIT #2 = OK/);
  });

  test('to a file', async ({ folder }) => {
    const trace = await recorded(folder);
    const out = join(folder, 't.json');
    const { status, stdout } = await runRelight(['export', trace, '--to', 'json', '-o', out]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(JSON.parse(readFileSync(out, 'utf8')).frames.length).toBeGreaterThan(10);
  });

  test('a file that cannot be written', async ({ folder }) => {
    const trace = await recorded(folder);
    const out = join(folder, 'missing', 't.json');
    const { status, stderr } = await runRelight(['export', trace, '--to', 'json', '-o', out]);
    expect(status).toBe(3);
    expect(stderr).toContain(`relight: cannot write ${out}`);
    expect(existsSync(out)).toBe(false);
  });
});

describe('redact', () => {
  test('a copy that says nothing of names and contents, the same for the same key', async ({ folder }) => {
    const trace = await recorded(folder);
    const [copy, again, key] = [join(folder, 'a.rlt'), join(folder, 'b.rlt'), trace];
    const document = jsonOf(await runRelight(['redact', trace, '-o', copy, '--key', key, '--json']));
    expect(document).toMatchObject({ trace, output: copy, frames: expect.any(Number) });
    await runRelight(['redact', trace, '-o', again, '--key', key]);
    const names = async (path: string) =>
      (await runRelight(['show', path, '--json', '-f', 'op==LOOKUP && kind==request'])).stdout;
    expect(await names(trace)).toContain('hello');
    expect(await names(copy)).not.toContain('hello');
    expect(await names(again)).toBe(await names(copy));
    expect((await runRelight(['stats', copy])).stdout).toContain('redacted');
  });

  test('never onto itself', async ({ folder }) => {
    const trace = await recorded(folder);
    const { status, stderr } = await runRelight(['redact', trace, '-o', trace]);
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: `relight: ${trace} is the trace itself; name another file\n`,
    });
  });
});

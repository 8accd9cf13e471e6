import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { RelightError } from '#relight/base/error.js';
import type { Finding } from '#relight/fuzz/finding.js';
import {
  decodeFinding,
  encodeFinding,
  findingPath,
  readFinding,
  writeFinding,
} from '#relight/fuzz/finding-file.js';
import { readPlan } from '#relight/plan/text/read.js';
import { writePlan } from '#relight/plan/text/write.js';

const plan = readPlan(
  [
    'relight plan 1',
    'session minor=31',
    'node %n1 2 "/a" [by=0]',
    '0 LOOKUP 1 name="a" [at=0]',
    '1 SETATTR %n1 valid=SIZE [at=1 incarnation=1 after=0]',
  ],
  { name: 'plan' },
);

const finding: Finding = {
  id: '0123456789abcdef',
  signature: 'wrong-object SETATTR node',
  verdict: 'wrong-object',
  op: 'SETATTR',
  idKind: 'node',
  mutator: 'nodeid.stale',
  relation: 'stale',
  isHostile: true,
  evidence: ['sent SETATTR', 'changed without being meant: /b'],
  plan,
  environment: {
    aslr: 'off',
    mallocPerturb: 170,
    relookup: 'shuffled+open',
    whileDown: 'add-first',
    minor: 23,
    withoutFlags: 1n << 40n,
  },
  command: { argv: ['server', '-f', '{mnt}'], cwd: '/tmp', env: { A: 'b' } },
  snapshot: ['/data'],
  seed: 7,
  reliability: { k: 5, n: 5 },
  versions: { relight: '0.1.0', kernel: '6.18.0', arch: 'x86_64' },
};

const comparable = (one: Finding): unknown => ({ ...one, plan: [...writePlan(one.plan)] });
const folder = mkdtempSync(join(tmpdir(), 'relight-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a finding as a file', () => {
  test('is read as it was written, and nothing else is left in the folder', () => {
    const path = findingPath(folder, finding);
    writeFinding(path, finding);
    expect(comparable(readFinding(path))).toEqual(comparable(finding));
    expect(readdirSync(folder)).toEqual(['0123456789abcdef.rlf']);
  });

  test('keeps what may be absent absent', () => {
    const { command, environment } = finding;
    const bare: Finding = {
      ...finding,
      command: { ...command, cwd: undefined, env: {} },
      environment: { ...environment, mallocPerturb: undefined, whileDown: undefined, minor: undefined },
    };
    expect(comparable(decodeFinding(encodeFinding(bare), 'bare'))).toEqual(comparable(bare));
  });

  test('gives a finding or one clear error for any damage', () => {
    const bytes = encodeFinding(finding);
    const edits = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 4 });
    fc.assert(
      fc.property(edits, fc.nat(bytes.length), (changes, length) => {
        const damaged = bytes.slice(0, length);
        for (const [at, byte] of changes) if (at < length) damaged[at] = byte;
        try {
          decodeFinding(damaged, 'damaged');
        } catch (error) {
          expect(error).toBeInstanceOf(RelightError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('of a newer format is refused', () => {
    const bytes = encodeFinding(finding);
    bytes[9] = 2;
    expect(() => decodeFinding(bytes, 'new.rlf')).toThrow(/new\.rlf .* its format is 2/);
  });

  test('that is something else is told so', () => {
    const path = join(folder, 'else');
    writeFileSync(path, 'relight plan 1\n');
    expect(() => readFinding(path)).toThrow(/else is no finding that can be read: it does not begin as one/);
    expect(() => readFinding(join(folder, 'missing'))).toThrow(/missing/);
    rmSync(path);
  });
});

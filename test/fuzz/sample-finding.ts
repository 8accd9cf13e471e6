/** A finding as a campaign on bindfs gives it. */

import type { Finding } from '#relight/fuzz/finding.js';
import { readPlan } from '#relight/plan/text/read.js';

const plan = readPlan(
  [
    'relight plan 1',
    'session minor=31',
    'node %n1 2 "/a" [by=0]',
    'node %n2 2 "/b" [by=1]',
    '0 LOOKUP 1 name="a" [at=0]',
    '1 LOOKUP 1 name="b" [at=1 incarnation=1]',
    '2 SETATTR %n1 valid=SIZE [at=2 incarnation=1 after=1]',
  ],
  { name: 'plan' },
);

/** The finding. */
export const sampleFinding: Finding = {
  id: '0123456789abcdef',
  signature: 'wrong-object SETATTR node',
  verdict: 'wrong-object',
  op: 'SETATTR',
  idKind: 'node',
  mutator: 'nodeid.stale',
  relation: 'stale',
  isHostile: false,
  evidence: [
    'sent SETATTR node 2 valid=SIZE size=0',
    'changed without being meant: /b: size 12 became 0, contents "hello & <world>" became ""',
  ],
  plan,
  environment: {
    aslr: 'off',
    mallocPerturb: undefined,
    relookup: 'shuffled',
    whileDown: undefined,
    minor: undefined,
    withoutFlags: 0n,
  },
  command: { argv: ['bindfs', '-f', '/data', '{mnt}'], cwd: undefined, env: {} },
  snapshot: ['/data'],
  seed: 7,
  reliability: { k: 5, n: 5 },
  versions: { relight: '0.1.0', kernel: '6.18.44', arch: 'x86_64' },
};

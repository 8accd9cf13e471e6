import { describe, expect, test } from 'vitest';
import { Campaign, type CampaignState, type CampaignStatus, type Limits } from '#relight/fuzz/campaign.js';
import { plainEnvironment } from '#relight/fuzz/environment.js';
import type { Finding } from '#relight/fuzz/finding.js';
import { Scheduler } from '#relight/fuzz/scheduler.js';
import { Triage } from '#relight/fuzz/triage.js';
import { writePlan } from '#relight/plan/text/write.js';
import {
  type Rule,
  ScriptedGround,
  type ScriptedOp,
  scriptedArms,
  scriptedCase,
  scriptedPlan,
  scriptedTrial,
} from './scripted-ground.js';

const common = {
  command: { argv: ['server'], cwd: undefined, env: {} },
  snapshot: [],
  seed: 1,
  versions: { relight: '0', kernel: '0', arch: 'any' },
};

interface Held {
  readonly state: CampaignState | undefined;
  readonly scheduler: Scheduler;
  readonly triage: Triage;
  readonly status: CampaignStatus;
  readonly findings: readonly Finding[];
  readonly lives: number;
}

interface Sitting {
  readonly seed?: number;
  /** Lives after which it is stopped. */
  readonly lives?: number;
  readonly before?: Held;
}

const hold = async (rule: Rule, limits: Partial<Limits>, sitting: Sitting = {}): Promise<Held> => {
  const { seed = 1, lives = Number.POSITIVE_INFINITY, before } = sitting;
  let state: CampaignState | undefined;
  let lived = 0;
  const ground = new ScriptedGround(rule);
  const triage = new Triage({
    planOf: scriptedPlan,
    trial: async (plan) => scriptedTrial(rule, plan),
    minimise: async (plan) => plan,
    isSendable: () => true,
    common,
  });
  triage.resume(before?.triage.findings ?? [], before?.triage.dismissed ?? new Map());
  const scheduler = new Scheduler(scriptedArms, before?.scheduler.state);
  const campaign = new Campaign({
    ground,
    scheduler,
    triage,
    ...(before?.state === undefined ? {} : { resumed: before.state }),
    onLife: (now) => {
      state = now;
      lived++;
    },
    isStopped: () => lived >= lives,
    makeCase: ({ op }, random) => scriptedCase(op as ScriptedOp, BigInt(random.int(1, 1000))),
    environmentOf: () => plainEnvironment,
    seed,
    limits: { cases: undefined, seconds: undefined, ...limits },
  });
  const status = await campaign.run();
  return { state, scheduler, triage, status, findings: triage.findings, lives: ground.lives };
};

const careful: Rule = () => 'rejected';
const sloppy: Rule = (op, nodeid) => {
  if (op === 'OPENDIR' && nodeid % 97n === 5n) return 'crash';
  if (op === 'READLINK' && nodeid === 77n) return 'abort';
  return op === 'GETATTR' && nodeid % 50n === 7n ? 'wrong-object' : 'rejected';
};

/** All but the times. */
const told = ({ status, findings }: Held) => {
  const { elapsedMs, playedMs, ...rest } = status;
  return [
    rest,
    findings.map(({ plan, ...finding }) => ({ ...finding, plan: [...writePlan(plan)] })),
  ] as const;
};

const verdictsOf = ({ findings }: Held): string[] => findings.map(({ signature }) => signature).sort();

describe('a campaign', () => {
  test('finds nothing in a server that rejects everything, and plays as many cases as it was told', async () => {
    const { status, findings } = await hold(careful, { cases: 20_000 });
    expect(findings).toEqual([]);
    expect(status).toMatchObject({ cases: 20_000, findings: 0, trials: 0, verdicts: { rejected: 20_000 } });
  });

  test('finds each fault once, whatever it takes the server with it', async () => {
    const held = await hold(sloppy, { cases: 20_000 });
    expect(verdictsOf(held)).toEqual([
      'abort READLINK node',
      'crash OPENDIR node',
      'wrong-object GETATTR node',
    ]);
    for (const { plan, reliability } of held.findings) {
      expect(plan.steps.length).toBe(1);
      expect(reliability).toEqual({ k: 5, n: 5 });
    }
  });

  test('does not look twice for whose fault it is', async () => {
    const { status, lives } = await hold((op) => (op === 'OPENDIR' ? 'crash' : 'rejected'), { cases: 5000 });
    const attempts = lives - status.batches;
    expect(attempts).toBeLessThan(40);
  });

  test('does not believe what does not show again', async () => {
    let calls = 0;
    const moody: Rule = (op) => (op === 'GETATTR' && ++calls % 500 === 0 ? 'wrong-object' : 'rejected');
    const { status, findings } = await hold(moody, { cases: 5000 });
    expect(findings).toEqual([]);
    expect(status.dismissed).toBe(1);
  });

  test('gives the same cases, verdicts and findings for the same seed, and others for another', async () => {
    const run = async (seed: number) => told(await hold(sloppy, { cases: 6000 }, { seed }));
    const first = await run(7);
    expect(await run(7)).toEqual(first);
    expect(await run(8)).not.toEqual(first);
  });

  test('goes on after a break as if there had been none', async () => {
    const whole = await hold(sloppy, { cases: 30_000 });
    const before = await hold(sloppy, { cases: 30_000 }, { lives: 4 });
    expect(before.status.cases).toBeLessThan(30_000);
    const after = await hold(sloppy, { cases: 30_000 }, { before });
    const { trials, ...rest } = told(after)[0];
    expect(told(whole)).toEqual([{ ...rest, trials: trials + before.status.trials }, told(after)[1]]);
  });
});

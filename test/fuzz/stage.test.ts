import { describe, expect } from 'vitest';
import type { Case } from '#relight/fuzz/case.js';
import { type Environment, plainEnvironment } from '#relight/fuzz/environment.js';
import { Stage, type StageOrders } from '#relight/fuzz/stage.js';
import { runPlan } from '#relight/fuzz/trial.js';
import { test } from '../support/leak-guard.js';
import { caseOf, memfs, Play, preparationOf } from './on-stage.js';

const files = { 'hello.txt': 'file', 'big.bin': 'file', 'run.sh': 'file', docs: 'directory' } as const;

const orders = (command: readonly string[]): StageOrders => ({
  ...{ command, cwd: undefined, env: undefined, snapshot: [], sandbox: undefined, checker: undefined },
  ...{ startTimeoutMs: 20_000, depth: 32, replyTimeoutMs: 3000 },
});

const onStage = async <T>(
  command: readonly string[],
  play: Play,
  work: (stage: Stage) => Promise<T>,
  environment: Environment = plainEnvironment,
): Promise<T> => {
  const stage = await Stage.open(orders(command));
  try {
    await stage.begin(() => preparationOf(play.plan()), environment);
    return await work(stage);
  } finally {
    await stage.close();
  }
};

const staleGetattr = (play: Play, name: string): Case =>
  caseOf('GETATTR', { node: play.actor(name).old.node });

describe('a stage', () => {
  test('tells a wrong object by the reply', async () => {
    const play = new Play(files);
    const { observations, suspicions, trouble } = await onStage(memfs('--ids', 'counter'), play, (stage) =>
      stage.play([staleGetattr(play, 'hello.txt'), staleGetattr(play, 'big.bin')]),
    );
    expect(trouble).toBeUndefined();
    expect(observations.map((one) => one?.verdict)).toEqual(['wrong-object', 'wrong-object']);
    expect(suspicions[0]?.judgement.signature).toBe('wrong-object GETATTR node');
  });

  test('finds nothing to say against a server that knows its ids', async () => {
    const play = new Play(files);
    await onStage(memfs('--ids', 'random'), play, async (stage) => {
      const { live } = play.actor('run.sh');
      const cases = [
        staleGetattr(play, 'hello.txt'),
        caseOf('GETATTR', { node: live.node }, { relation: 'good' }),
        caseOf('FORGET', { node: play.actor('big.bin').old.node }, { fields: { nlookup: 3n } }),
        caseOf('SETATTR', { node: live.node }, { relation: 'good', fields: { valid: 8, size: 0n } }),
      ];
      for (let round = 0; round < 2; round++) {
        const { observations, suspicions, trouble } = await stage.play(cases);
        expect([suspicions, trouble]).toEqual([[], undefined]);
        expect(observations.map((one) => one?.verdict)).toEqual([
          'rejected',
          'recovered',
          'unknown',
          'recovered',
        ]);
        expect(await stage.check()).toEqual([]);
      }
    });
  });

  test('sees an object that changed although nobody meant it', async () => {
    const play = new Play(files);
    const judgements = await onStage(memfs('--ids', 'counter'), play, async (stage) => {
      const truncated = { fields: { valid: 8, size: 0n } };
      await stage.play([caseOf('SETATTR', { node: play.actor('big.bin').old.node }, truncated)]);
      return stage.check();
    });
    expect(judgements[0]?.signature).toBe('wrong-object SETATTR node');
    expect(judgements[0]?.evidence.join('\n')).toContain('/run.sh');
  });

  test('says who may have ended the server, and goes on with a new one', async () => {
    const play = new Play(files);
    const preparation = preparationOf(play.plan());
    await onStage(memfs('--ids', 'address'), play, async (stage) => {
      const good = caseOf('GETATTR', { node: play.actor('docs').live.node }, { relation: 'good' });
      const { trouble } = await stage.play([good, good, staleGetattr(play, 'hello.txt'), good]);
      expect(trouble?.kind).toBe('ended');
      // Replies that were under way are lost with the server.
      expect(trouble?.suspects).toContain(2);
      expect(trouble?.judgement.signature).toBe('GETATTR SIGSEGV');
      await stage.restart(() => preparation, plainEnvironment);
      const { observations } = await stage.play([good]);
      expect(observations[0]?.verdict).toBe('recovered');
    });
  });
});

test('a life is prepared for the session that it settles', async () => {
  const play = new Play(files);
  const preparation = preparationOf(play.plan());
  const minors: (number | undefined)[] = [];
  const stage = await Stage.open(orders(memfs('--ids', 'random')));
  try {
    await stage.begin(
      (settled) => {
        minors.push(settled?.minor);
        return preparation;
      },
      { ...plainEnvironment, minor: 22 },
    );
    expect(minors.at(-1)).toBe(22);
    expect(stage.session.minor).toBe(22);
  } finally {
    await stage.close();
  }
});

describe('a trial', () => {
  test('shows what the campaign saw, from the plan alone', async () => {
    const play = new Play(files);
    const [request] = staleGetattr(play, 'hello.txt').requests;
    if (request === undefined) throw new Error('a case without requests');
    play.composer.step({ incarnation: 1, bytes: request.bytes, patches: request.patches });
    const [judgement] = await runPlan(play.plan(), {
      ...orders(memfs('--ids', 'counter')),
      environment: plainEnvironment,
    });
    expect(judgement?.signature).toBe('wrong-object GETATTR node');
  });
});

/** How many cases a second a server takes that survives them, next to a loop that writes the same requests and reads replies. */

import { rng } from '#relight/base/rng.js';
import type { Case } from '#relight/fuzz/case.js';
import { castFrom } from '#relight/fuzz/cast.js';
import { Castings } from '#relight/fuzz/castings.js';
import { plainEnvironment } from '#relight/fuzz/environment.js';
import { type Attack, attacksOn } from '#relight/fuzz/mutators.js';
import { seedsOf } from '#relight/fuzz/seeds.js';
import { Stage } from '#relight/fuzz/stage.js';
import { StageGround } from '#relight/fuzz/stage-ground.js';
import type { Plan } from '#relight/plan/plan.js';
import { Connection } from '#relight/transport/connection.js';
import { median, table } from '../bench.js';
import { bareLoop } from '../replay/bare-loop.js';
import type { FuzzedServer } from './servers.js';

const depth = 64;
const batches = 40;
const batchSize = 1024;
const rounds = 3;
/** Operations without a handle, which change nothing. */
const quiet: readonly string[] = [
  'LOOKUP',
  'GETATTR',
  'READLINK',
  'STATFS',
  'ACCESS',
  'GETXATTR',
  'LISTXATTR',
];

/** A ground that is up, on a stage for this server without address randomisation. */
export const onGround = async <T>(
  { command }: FuzzedServer,
  plan: Plan,
  work: (parts: { ground: StageGround; stage: Stage }) => Promise<T>,
): Promise<T> => {
  const stage = await Stage.open({
    ...{ command, cwd: undefined, env: undefined, snapshot: [], sandbox: undefined, checker: undefined },
    ...{ startTimeoutMs: 20_000, depth, replyTimeoutMs: 5000 },
  });
  try {
    const ground = new StageGround(stage, new Castings(plan, 1));
    await ground.begin(environment);
    return await work({ ground, stage });
  } finally {
    await stage.close();
  }
};

/** Addresses, and with them handles, are the same in every life. */
export const environment = { ...plainEnvironment, aslr: 'off' } as const;

/** What is tried: mutators whose names begin so, on operations that change nothing. */
export const attacksFor = (plan: Plan, by = 'nodeid.stale'): Attack[] => {
  const cast = castFrom(plan);
  return attacksOn(seedsOf(plan, cast, rng(1)), cast).filter(
    ({ mutator, op }) => mutator.name.startsWith(by) && quiet.includes(op.name),
  );
};

/** Cases of some attacks, the same for the same seed. */
export const drawn = (attacks: readonly Attack[], plan: Plan, count: number, seed: number): Case[] => {
  const cast = castFrom(plan);
  const random = rng(seed);
  const cases: Case[] = [];
  while (cases.length < count) {
    const attack = random.pick(attacks);
    const start = random.pick(attack?.seeds ?? []);
    const one = start && attack?.mutator.make(start, cast, random);
    if (one !== undefined && one.requests.length === 1) cases.push(one);
  }
  return cases;
};

/** Attacks that the server survives, tried a few times each. */
const survived = async (server: FuzzedServer, plan: Plan): Promise<Attack[]> =>
  onGround(server, plan, async ({ ground }) => {
    const kept: Attack[] = [];
    for (const attack of attacksFor(plan)) {
      const { trouble } = await ground.play(drawn([attack], plan, 32, 7));
      if (trouble === undefined) kept.push(attack);
      else await ground.begin(environment);
    }
    return kept;
  });

/** Everything that goes to the server while `work` runs. */
const captured = async (work: () => Promise<void>): Promise<Uint8Array[]> => {
  const requests: Uint8Array[] = [];
  const { send } = Connection.prototype;
  Connection.prototype.send = function (bytes, length = bytes.length) {
    const result = send.call(this, bytes, length);
    if (result === 'sent') requests.push(bytes.slice(0, length));
    return result;
  };
  try {
    await work();
    return requests;
  } finally {
    Connection.prototype.send = send;
  }
};

/** Only the last life counts: it begins with INIT. */
const lastLife = (requests: readonly Uint8Array[]): readonly Uint8Array[] =>
  requests.slice(requests.findLastIndex((bytes) => bytes[4] === INIT && bytes[5] === 0));
const INIT = 26;

const perSecond = (count: number, ms: number): number => (count / ms) * 1000;
const thousands = (rate: number): string => `${(rate / 1000).toFixed(1)}k/s`;

const rowOf = async (server: FuzzedServer, plan: Plan): Promise<string[]> => {
  const attacks = await survived(server, plan);
  const all = Array.from({ length: batches }, (_, batch) => drawn(attacks, plan, batchSize, batch));
  const play = async (ground: StageGround): Promise<void> => {
    for (const cases of all) {
      const { trouble } = await ground.play(cases);
      if (trouble !== undefined) throw new Error(`${server.name}: ${trouble.judgement.signature}`);
    }
  };
  const requests = lastLife(await captured(() => onGround(server, plan, ({ ground }) => play(ground))));
  const bare: number[] = [];
  const elapsed: number[] = [];
  for (let round = 0; round < rounds; round++) {
    bare.push(perSecond(requests.length, await bareLoop(server, { requests, errors: undefined }, depth)));
    await onGround(server, plan, async ({ ground }) => {
      const started = performance.now();
      await play(ground);
      elapsed.push(performance.now() - started);
    });
  }
  const ours = elapsed.map((ms) => perSecond(requests.length, ms));
  const ratio = median(ours.map((rate, round) => rate / (bare[round] ?? Number.NaN)));
  const rates = [median(bare), median(ours), perSecond(batches * batchSize, median(elapsed))];
  return [server.name, String(attacks.length), ...rates.map(thousands), ratio.toFixed(2)];
};

/** Markdown: one line for each server. */
export const survivorsSection = async (
  servers: readonly FuzzedServer[],
  planOf: (server: FuzzedServer) => Promise<Plan>,
): Promise<string> => {
  const rows: string[][] = [];
  for (const server of servers) rows.push(await rowOf(server, await planOf(server)));
  return [
    '## Servers that survive',
    `Stale nodeids on operations that change nothing, ${batches} batches of ${batchSize}, ${depth} under way; after each batch all objects and live ids are looked at. ` +
      `The bare loop writes the same requests, those looks among them, and reads the replies. ${rounds} alternating rounds, medians.`,
    table(['server', 'attacks', 'bare loop', 'requests', 'cases', 'requests / bare'], rows),
  ].join('\n\n');
};

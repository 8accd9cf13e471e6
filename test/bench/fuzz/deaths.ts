/** What a death costs: lives a second of a server that dies at each case, where the time goes, and how the guilty case is found. */

import { Life } from '#relight/fuzz/life.js';
import { findGuilty } from '#relight/fuzz/split.js';
import type { Plan } from '#relight/plan/plan.js';
import { Launcher } from '#relight/transport/launch.js';
import { table } from '../bench.js';
import type { FuzzedServer } from './servers.js';
import { attacksFor, drawn, environment, onGround } from './survivors.js';

const lives = 50;
/** A nodeid of which no server knows anything, and that no pointer can be. */
const deadly = 'nodeid.unmapped';

/** Milliseconds spent in some asynchronous calls. */
interface Clock {
  ms: number;
}

const timed = async <T>(clock: Clock, work: () => Promise<T>): Promise<T> => {
  const started = performance.now();
  try {
    return await work();
  } finally {
    clock.ms += performance.now() - started;
  }
};

/** Runs `work` with clocks on starting processes and on coming to life. */
const withClocks = async <T>(work: (exec: Clock, birth: Clock) => Promise<T>): Promise<T> => {
  const [exec, birth] = [{ ms: 0 }, { ms: 0 }];
  const { begin } = Life;
  const { launch } = Launcher.prototype;
  Life.begin = (orders) => timed(birth, () => begin.call(Life, orders));
  Launcher.prototype.launch = function (...given) {
    return timed(exec, () => launch.apply(this, given));
  };
  try {
    return await work(exec, birth);
  } finally {
    Life.begin = begin;
    Launcher.prototype.launch = launch;
  }
};

const percent = (part: number, whole: number): string => `${((part / whole) * 100).toFixed(0)} %`;

const rowOf = (server: FuzzedServer, plan: Plan): Promise<string[]> =>
  withClocks((exec, birth) =>
    onGround(server, plan, async ({ ground }) => {
      const cases = drawn(attacksFor(plan, deadly), plan, lives, 3);
      [exec.ms, birth.ms] = [0, 0];
      const started = performance.now();
      let deaths = 0;
      for (const one of cases) {
        const { trouble } = await ground.play([one]);
        if (trouble !== undefined) deaths++;
        await ground.begin(environment);
      }
      const elapsed = performance.now() - started;
      const guilt = await guiltyOf1024(server, plan);
      return [
        server.name,
        `${deaths} of ${lives}`,
        ((lives / elapsed) * 1000).toFixed(0),
        percent(exec.ms, elapsed),
        percent(birth.ms - exec.ms, elapsed),
        percent(elapsed - birth.ms, elapsed),
        guilt,
      ];
    }),
  );

/** One fatal case among 1,023 good ones, at a place that nobody tells. */
const guiltyOf1024 = async (server: FuzzedServer, plan: Plan): Promise<string> =>
  onGround(server, plan, async ({ ground }) => {
    const [fatal] = drawn(attacksFor(plan, deadly), plan, 1, 3);
    if (fatal === undefined) return '-';
    const good = rooted(fatal);
    const batch = Array.from({ length: 1024 }, (_, index) => (index === 700 ? fatal : good));
    const started = performance.now();
    const found = await findGuilty({ count: batch.length, suspects: [] }, async (indices) => {
      await ground.begin(environment);
      return (await ground.play(indices.flatMap((index) => batch[index] ?? []))).trouble;
    });
    return `${found?.attempts ?? '-'} lives, ${(performance.now() - started).toFixed(0)} ms`;
  });

const NODEID_AT = 16;

/** The same case about the root, which is always good. */
const rooted = <C extends ReturnType<typeof drawn>[number]>(one: C): C => ({
  ...one,
  requests: one.requests.map((request) => {
    const bytes = request.bytes.slice();
    bytes.fill(0, NODEID_AT, NODEID_AT + 8);
    bytes[NODEID_AT] = 1;
    return { ...request, bytes, patches: [] };
  }),
});

/** Markdown: one line for each server. */
export const deathsSection = async (
  servers: readonly FuzzedServer[],
  planOf: (server: FuzzedServer) => Promise<Plan>,
): Promise<string> => {
  const rows: string[][] = [];
  for (const server of servers) rows.push(await rowOf(server, await planOf(server)));
  return [
    '## Servers that die',
    `One case with an address that is not mapped for a nodeid in each of ${lives} lives; a life has the cast looked up and opened again, and looked at. Then one fatal case is to be found among 1,024, by halving alone.`,
    table(['server', 'deaths', 'lives / s', 'exec', 'INIT', 'relight', 'guilty of 1,024'], rows),
  ].join('\n\n');
};

/** `relight replay`: a trace, a server and restarts; verdicts on every stale id. */

import { RelightError } from '../../base/error.js';
import { strategies, strategyNamed } from '../../kernel/strategies/registry.js';
import { lift } from '../../plan/lift.js';
import type { Plan } from '../../plan/plan.js';
import { type Relookup, relookups } from '../../replay/inspector.js';
import type { ReplayOptions } from '../../replay/options.js';
import { parsePace } from '../../replay/pace.js';
import { preflight } from '../../replay/preflight.js';
import { replay } from '../../replay/replay.js';
import { type Place, parseRestartPoint, type RestartPoint, restartsOf } from '../../replay/restart-point.js';
import type { ReplayResult } from '../../replay/result.js';
import { type WhileDownChange, whileDownChanges } from '../../replay/while-down.js';
import { replayJson, replayLines, verdictTable } from '../../report/replay.js';
import { decodedFrames } from '../../trace/decoded-frames.js';
import { matches } from '../../trace/filter-match.js';
import { openTrace, type Trace } from '../../trace/reader.js';
import { ExitStatus } from '../exit-status.js';
import { filterFrom } from '../filter-option.js';
import { print, printJson } from '../output.js';
import { sandboxFrom, sandboxOptions } from '../sandbox-option.js';
import { serverCommand } from '../server-command.js';
import { paintFor } from '../terminal.js';
import { countFrom, millisecondsFrom } from '../values.js';
import { defineVerb, type Given } from '../verb.js';

const many = { type: 'string', array: true, requiresArg: true } as const;

const options = {
  'restart-at': {
    ...many,
    describe:
      'end, FRAME, OP#N, every:N, time:SECONDS or a filter; @before, @inflight or @after; again for more',
  },
  strategy: {
    type: 'string',
    alias: 's',
    describe: 'what the kernel does after a restart, or all',
    default: 'trust',
    requiresArg: true,
  },
  recorded: { type: 'boolean', describe: "run the trace's own server command", default: false },
  aslr: {
    choices: ['on', 'off'],
    describe: 'address randomisation of the server',
    default: 'on',
    requiresArg: true,
  },
  pace: { type: 'string', describe: 'max, recorded or xN', default: 'max', requiresArg: true },
  depth: { type: 'string', describe: 'requests under way at once', default: '1', requiresArg: true },
  snapshot: { ...many, describe: "the server's store, put back before and after; again for more" },
  setup: { type: 'string', describe: 'shell command before the first start', requiresArg: true },
  between: { type: 'string', describe: 'shell command between death and restart', requiresArg: true },
  'while-down': {
    choices: whileDownChanges,
    describe: 'change the first snapshot directory while the server is down',
    requiresArg: true,
  },
  relookup: {
    choices: relookups,
    describe: 'what the new incarnation looks up before stale ids are used',
    default: 'same',
    requiresArg: true,
  },
  probe: {
    choices: ['none', 'read', 'write'],
    describe: 'use stale ids on purpose at the end; write needs --snapshot',
    default: 'read',
    requiresArg: true,
  },
  'probe-limit': {
    type: 'string',
    describe: 'ids probed at most with each operation',
    default: '16',
    requiresArg: true,
  },
  signal: { type: 'string', describe: 'how the server is ended', default: 'SIGKILL', requiresArg: true },
  timeout: { type: 'string', describe: 'seconds for a reply', default: '10', requiresArg: true },
  'start-timeout': { type: 'string', describe: 'seconds for a start', default: '30', requiresArg: true },
  ...sandboxOptions,
  backtrace: {
    type: 'boolean',
    describe: 'let gdb watch the server and say where it crashed; slow',
    default: false,
  },
  seed: { type: 'string', describe: 'seed of everything random', default: '1', requiresArg: true },
  strict: { type: 'boolean', describe: 'compare every field', default: false },
  check: { type: 'boolean', describe: 'only say whether this trace can be replayed', default: false },
  summary: { type: 'boolean', describe: 'leave the evidence of each finding out', default: false },
  json: { type: 'boolean', describe: 'print one JSON document', default: false },
} as const;

type Arguments = Given<typeof options>;

/** Numbers of the first frames that filters match. */
const firstMatches = (trace: Trace, points: readonly RestartPoint[]): ReadonlyMap<string, number> => {
  const found = new Map<string, number>();
  for (const point of points) {
    if (point.kind !== 'filter') continue;
    const filter = filterFrom(point.filter);
    if (filter === undefined) continue;
    for (const frame of decodedFrames(trace)) {
      if (frame.frame.direction !== 'toServer' || !matches(filter, frame, trace.header.startTimeNs)) continue;
      found.set(point.filter, frame.frame.seq);
      break;
    }
  }
  return found;
};

const placesOf = (plan: Plan): Place[] =>
  [...plan.steps].map(({ index, seq, timeNs, op }) => ({ index, seq, timeNs, name: op?.name }));

const isSignal = (name: string): name is NodeJS.Signals =>
  /^SIG(KILL|TERM|INT|HUP|SEGV|ABRT|QUIT|STOP|USR[12])$/.test(name);

const signalFrom = (text: string): NodeJS.Signals => {
  const name = text.startsWith('SIG') ? text : `SIG${text}`;
  if (isSignal(name)) return name;
  throw new RelightError('usage', `--signal cannot be ${text}`, {
    remedy: 'for example SIGKILL, SIGTERM or SIGSEGV',
  });
};

const depthFrom = (text: string): number => {
  const depth = countFrom('--depth', text);
  if (depth >= 1) return depth;
  throw new RelightError('usage', '--depth must be at least 1', { remedy: 'for example 64' });
};

const replayOptions = (given: Arguments, trace: Trace, plan: Plan): Omit<ReplayOptions, 'strategy'> => {
  const { options: o } = given;
  const points = (o['restart-at'] ?? []).map(parseRestartPoint);
  const found = firstMatches(trace, points);
  const store = {
    command: serverCommand(
      { command: given.command, recorded: o.recorded },
      { name: 'the trace', argv: trace.header.argv },
    ),
    cwd: given.command.length > 0 ? undefined : trace.header.cwd,
    snapshot: o.snapshot ?? [],
  };
  return {
    ...store,
    sandbox: sandboxFrom(o, store),
    aslr: o.aslr,
    backTrace: o.backtrace,
    depth: depthFrom(o.depth),
    pace: parsePace(o.pace),
    strict: o.strict,
    restarts: restartsOf(points, placesOf(plan), (filter, { seq }) => seq === found.get(filter)),
    signal: signalFrom(o.signal),
    setup: o.setup,
    between: o.between,
    whileDown: o['while-down'] as WhileDownChange | undefined,
    relookup: o.relookup as Relookup,
    probes: o.probe,
    probeLimit: Math.max(1, countFrom('--probe-limit', o['probe-limit'])),
    replyTimeoutMs: millisecondsFrom('--timeout', o.timeout),
    startTimeoutMs: millisecondsFrom('--start-timeout', o['start-timeout']),
    maxDeaths: 500,
    seed: countFrom('--seed', o.seed),
  };
};

const report = (
  results: readonly ReplayResult[],
  { json, summary }: { readonly json: boolean; readonly summary: boolean },
): ExitStatus => {
  const [only] = results;
  if (json)
    printJson(
      results.length === 1 && only !== undefined ? replayJson(only) : { strategies: results.map(replayJson) },
    );
  else {
    const paint = paintFor(process.stdout);
    const isOne = results.length === 1;
    for (const result of results) if (isOne) print(...replayLines(result, paint, !summary));
    if (!isOne || results.some(({ restarts }) => restarts.length > 0))
      print('', ...verdictTable(results, paint));
  }
  return results.every(({ outcome }) => outcome === 'same') ? ExitStatus.ok : ExitStatus.found;
};

const run = async (given: Arguments): Promise<ExitStatus> => {
  const trace = openTrace(given.operands[0] ?? '');
  try {
    const plan = lift(trace);
    const chosen = given.options.strategy === 'all' ? strategies : [strategyNamed(given.options.strategy)];
    const orders = replayOptions(given, trace, plan);
    const trouble = await preflight(plan, trace.header, orders);
    for (const line of trouble) process.stderr.write(`relight: ${line}\n`);
    if (given.options.check) {
      if (trouble.length === 0) print('this trace can be replayed on this server');
      return trouble.length === 0 ? ExitStatus.ok : ExitStatus.incapable;
    }
    const results: ReplayResult[] = [];
    for (const strategy of chosen) results.push(await replay(plan, { ...orders, strategy }));
    return report(results, given.options);
  } finally {
    trace.close();
  }
};

/** The verb. */
export const verb = defineVerb({
  name: 'replay',
  about:
    'Plays the recorded kernel towards a fresh server, without a mount and without root: sends every request with the ids that this server gives, restarts it where told, compares every reply, and says for each use of a stale id what the server did. Run it on disposable data: a stale id can change the wrong file.',
  operands: ['TRACE'],
  command: 'optional',
  options,
  examples: [
    ['replay t.rlt -- bindfs -f /data {mnt}', 'the same session again: 0 when every reply is the same'],
    ['replay t.rlt --recorded --restart-at end --strategy all', 'every strategy after a restart, as a table'],
  ],
  run,
});

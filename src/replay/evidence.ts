/** Puts what was seen before a request beside what was seen after it, in the form in which the oracle judges it. */

import { Errno } from '../base/errno.js';
import type { ObjectState, Observed } from '../oracle/effects.js';
import type { ServerExit } from '../oracle/exit.js';
import { DIRECTORY, type Scalars } from '../oracle/fingerprint.js';
import type { LiveUse, UseResult } from '../oracle/live-ids.js';
import type { ObjectKey } from '../oracle/seen.js';
import type { Answer, Sighting, Use } from './sighting.js';

/** The same objects at two moments. */
export interface Seen {
  readonly before: readonly Sighting[];
  readonly after: readonly Sighting[];
  /** A server was started in between: what only a running server keeps, such as times of its start, says nothing. */
  readonly isAcrossRestart: boolean;
}

/** Whom a request is about. */
export interface Subjects {
  /** Objects that its ids name, in the order of the request. */
  readonly meant: readonly ObjectKey[];
  /** Paths that its names make or take away: what stands there may change or go without being named by an id. */
  readonly named: readonly string[];
  /** Objects that stand at these paths, wherever they were seen. */
  readonly standing?: readonly ObjectKey[];
}

/** Who an object is, by its path. */
export type KeyOf = (path: string) => ObjectKey;

/** Facts of the object itself, which every server keeps that keeps the object. */
const keptScalars = ({ type, size, target }: Scalars): Scalars => ({ type, size, target });

const keptState = (state: ObjectState): ObjectState => ({ ...state, scalars: keptScalars(state.scalars) });

const keptAnswer = (answer: Answer): Answer =>
  answer.kind === 'good'
    ? { ...answer, told: { ...answer.told, scalars: keptScalars(answer.told.scalars) } }
    : answer;

const byPath = (sightings: readonly Sighting[]): Map<string, Sighting> =>
  new Map(sightings.map((sighting) => [sighting.object.path, sighting]));

const missing: ObjectState = { scalars: {}, error: Errno.ENOENT };

/** Another name of an object that was meant shows the same change. */
const isSameFile = (a: Scalars, b: Scalars): boolean =>
  a.type !== DIRECTORY && a.ino === b.ino && a.nlink === b.nlink && Number(a.nlink) > 1;

/** Whether a path is one of the named ones or lies below one. */
export const isBelow = (path: string, named: readonly string[]): boolean =>
  named.some((name) => path === name || path.startsWith(`${name}/`));

/** Objects before and after: those that were meant in their order, then those that the request is not about. */
export const observed = (
  { before, after, isAcrossRestart }: Seen,
  { meant, named, standing = [] }: Subjects,
  keyOf: KeyOf,
): Observed[] => {
  const later = byPath(after);
  const all = before.map((sighting) => ({ key: keyOf(sighting.object.path), sighting }));
  const asked = meant.flatMap((key) => all.find((one) => one.key === key) ?? []);
  const others = all.filter(
    ({ key, sighting }) =>
      !meant.includes(key) &&
      !standing.includes(key) &&
      !isBelow(sighting.object.path, named) &&
      !asked.some((one) => isSameFile(one.sighting.state.scalars, sighting.state.scalars)),
  );
  const observe = ({ key, sighting }: (typeof all)[number], isMeant: boolean): Observed => {
    const now = later.get(sighting.object.path)?.state ?? missing;
    const [was, is] = isAcrossRestart ? [keptState(sighting.state), keptState(now)] : [sighting.state, now];
    return { key, meant: isMeant, before: was, after: is };
  };
  return [...asked.map((one) => observe(one, true)), ...others.map((one) => observe(one, false))];
};

/** How uses of live ids can fail, besides by an error. */
export interface Failing {
  /** How the server ended, if it did. */
  readonly exit: ServerExit | undefined;
  readonly waitedMs: number;
}

const resultOf = (answer: Answer, { exit, waitedMs }: Failing): UseResult => {
  if (answer.kind === 'good') return { kind: 'good', told: answer.told };
  if (answer.kind === 'error') return { kind: 'error', errno: answer.errno };
  if (answer.kind === 'silence') return { kind: 'silence', waitedMs };
  return { kind: 'ended', exit: exit ?? { code: undefined, signal: undefined, stderr: [] } };
};

const sameUse = (use: Use, { uses }: Sighting): Use | undefined =>
  uses.find(({ kind, by }) => kind === use.kind && by === use.by);

/** A root that does not answer is always telling, whatever was seen of it before. */
const works: UseResult = { kind: 'good', told: { scalars: {} } };

/** A root that answers shows nothing: its id is no server's own. */
const tells = ({ path }: Sighting['object'], { answer }: Use): boolean =>
  path !== '' || answer.kind !== 'good';

/** Every use of an id that was made at both moments. */
export const liveUses = (
  { before, after, isAcrossRestart }: Seen,
  keyOf: KeyOf,
  failing: Failing,
): LiveUse[] => {
  const earlier = byPath(before);
  const result = (answer: Answer): UseResult =>
    resultOf(isAcrossRestart ? keptAnswer(answer) : answer, failing);
  return after.flatMap(({ object, uses }) =>
    uses.flatMap((use) => {
      const was = earlier.get(object.path);
      const first = was === undefined ? undefined : sameUse(use, was);
      if ((first === undefined && object.path !== '') || !tells(object, use)) return [];
      const { kind, value, by, answer } = use;
      return [
        {
          kind,
          value,
          by,
          object: keyOf(object.path),
          before: first ? result(first.answer) : works,
          after: result(answer),
        },
      ];
    }),
  );
};

/** Whether the server ended or fell silent while it was looked at. */
export const failedIn = (sightings: readonly Sighting[]): 'ended' | 'silence' | undefined => {
  const answers = sightings.flatMap(({ uses }) => uses.map(({ answer }) => answer.kind));
  return answers.includes('ended') ? 'ended' : answers.includes('silence') ? 'silence' : undefined;
};

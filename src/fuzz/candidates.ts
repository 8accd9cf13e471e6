/** Which objects of a recording make a good cast: found again by their paths, of all types, near the root and far from it. */

import { DIRECTORY, REGULAR, SYMLINK } from '../oracle/fingerprint.js';
import { nameShape } from '../plan/places.js';
import type { Plan, PlanSymbol, Step } from '../plan/plan.js';
import { textOf } from '../protocol/byte-string.js';
import { errorOf } from '../protocol/header.js';
import type { ObjectType } from '../protocol/operation.js';

/** An object that may be in the cast. */
export interface Candidate {
  /** As `CastObject.path`. */
  readonly path: string;
  readonly type: ObjectType | 'other';
  /** `mode & S_IFMT`. */
  readonly mode: number;
  /** Absent for the root. */
  readonly parent: Candidate | undefined;
}

const typeNames: Readonly<Record<number, ObjectType>> = {
  [DIRECTORY]: 'directory',
  [REGULAR]: 'file',
  [SYMLINK]: 'symlink',
};
const root: Candidate = { path: '/', type: 'directory', mode: DIRECTORY, parent: undefined };

/** The types in turn: most of what goes wrong shows with files. */
const turns: readonly Candidate['type'][] = ['file', 'directory', 'file', 'symlink', 'file', 'other'];

/** At most `size` objects and the root before them, parents before children, always the same of the same plan. */
export const candidatesIn = (plan: Plan, size: number): Candidate[] => {
  const chosen = new Set<Candidate>([root]);
  const queues = queuesOf([...objectsIn(plan).values()]);
  while ([...queues.values()].some((queue) => queue.length > 0) && chosen.size <= size)
    for (const type of turns) take(queues.get(type)?.shift(), chosen, size);
  return [...chosen].sort((a, b) => depthOf(a) - depthOf(b) || (a.path < b.path ? -1 : 1));
};

/** Takes an object and what leads to it, if there is room for all. */
const take = (candidate: Candidate | undefined, chosen: Set<Candidate>, size: number): void => {
  const line: Candidate[] = [];
  for (let at = candidate; at !== undefined && !chosen.has(at); at = at.parent) line.unshift(at);
  if (chosen.size + line.length <= size + 1) for (const one of line) chosen.add(one);
};

const depthOf = ({ parent }: Candidate): number => (parent === undefined ? 0 : 1 + depthOf(parent));
const parentPath = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';

/** Objects by path, of those that were not removed in the end. */
const objectsIn = (plan: Plan): ReadonlyMap<string, Candidate> => {
  const gone = removedPaths(plan);
  const nodes = new Map<string, number>();
  for (const { kind, path, type } of plan.symbols)
    if (kind === 'node' && path !== undefined && path !== '/' && type !== undefined && !gone.has(path))
      nodes.set(path, type);
  const known = new Map<string, Candidate>([['/', root]]);
  for (const [path, mode] of [...nodes].sort(([a], [b]) => partsOf(a) - partsOf(b) || (a < b ? -1 : 1))) {
    const parent = known.get(parentPath(path));
    if (parent?.type === 'directory')
      known.set(path, { path, mode, parent, type: typeNames[mode] ?? 'other' });
  }
  known.delete('/');
  return known;
};

const partsOf = (path: string): number => path.split('/').length;

/** For each type its objects, one of each depth in turn. */
const queuesOf = (all: readonly Candidate[]): ReadonlyMap<Candidate['type'], Candidate[]> =>
  new Map(turns.map((type) => [type, spread(all.filter((one) => one.type === type))]));

const spread = (candidates: readonly Candidate[]): Candidate[] => {
  const depths = new Map<number, Candidate[]>();
  for (const one of candidates) depths.set(depthOf(one), [...(depths.get(depthOf(one)) ?? []), one]);
  const rows = [...depths.values()];
  const longest = Math.max(0, ...rows.map(({ length }) => length));
  return Array.from({ length: longest }, (_, index) => rows.flatMap((row) => row[index] ?? [])).flat();
};

/** Paths that were unlinked or renamed away and not made again. */
const removedPaths = (plan: Plan): ReadonlySet<string> => {
  const gone = new Set<string>();
  for (const step of plan.steps) follow(step, plan, gone);
  return gone;
};

const follow = (step: Step, plan: Plan, gone: Set<string>): void => {
  const { shape } = step.op === undefined ? { shape: undefined } : nameShape(step.op, plan.negotiated);
  if (shape === undefined || !succeeded(step)) return;
  const [parent] = directoriesOf(step, plan);
  if (parent?.path === undefined) return;
  const nul = step.template.indexOf(0, shape.nameAt);
  const name = textOf(step.template, shape.nameAt, nul < 0 ? step.template.length : nul);
  const path = `${parent.path === '/' ? '' : parent.path}/${name}`;
  if (shape.deed === 'removes' || shape.deed === 'moves') gone.add(path);
  else gone.delete(path);
};

const succeeded = ({ answered, reply }: Step): boolean =>
  answered && (reply === undefined || errorOf(reply) === 0);

const directoriesOf = (step: Step, { symbols }: Plan): PlanSymbol[] =>
  step.patches.flatMap((patch) => (patch.kind === 'symbol' ? (symbols.at(patch.symbol) ?? []) : []));

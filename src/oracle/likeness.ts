/** How well what a reply tells fits what is known of an object: which facts agree, which differ, and how much each one says. */

import { type Facts, sizeOf } from './facts.js';
import { type FactName, type Fingerprint, REGULAR, type Scalars } from './fingerprint.js';
import type { Trust } from './survival.js';
import { bytesText } from './text.js';

/** One fact that both sides know. */
export interface Point {
  /** The fact, and when the sides differ both values: `size 12, not 5`. */
  readonly text: string;
  /**
   * What it says. Agreeing: 2 for what hardly two objects share, 1 for what some do, 0 for what all do. Differing: 2 when
   * the object cannot be meant, 1 when it might have changed unseen.
   */
  readonly weight: 0 | 1 | 2;
}

/** The comparison of a reply with one object. */
export interface Likeness {
  readonly agrees: readonly Point[];
  readonly differs: readonly Point[];
}

type Weights = { readonly agree: Point['weight']; readonly differ: Point['weight'] };

/** Sizes are shared by many files; owner and mode by nearly all, and a server may change them on its own account. */
const weights: Readonly<Record<FactName, Weights>> = {
  type: { agree: 0, differ: 2 },
  ino: { agree: 2, differ: 2 },
  size: { agree: 1, differ: 2 },
  mtime: { agree: 2, differ: 1 },
  ctime: { agree: 2, differ: 1 },
  mode: { agree: 0, differ: 1 },
  nlink: { agree: 0, differ: 1 },
  uid: { agree: 0, differ: 1 },
  gid: { agree: 0, differ: 1 },
  rdev: { agree: 0, differ: 2 },
  target: { agree: 2, differ: 2 },
};

const trustedWeights = (name: FactName, trust: Trust): Weights => {
  if (trust !== 'untested' || name !== 'ino') return weights[name];
  // An inode number that was never seen to survive a restart proves nothing either way.
  return { agree: 0, differ: 1 };
};

const NS = 1_000_000_000n;

/** Value of a fact for people. */
export const factText = (name: FactName, value: unknown): string => {
  if (name === 'mtime' || name === 'ctime') {
    const time = typeof value === 'bigint' ? value : 0n;
    return `${time / NS}.${String(time % NS).padStart(9, '0')}`;
  }
  if (name === 'mode' || name === 'type') return `0${Number(value).toString(8)}`;
  return name === 'target' ? JSON.stringify(value) : String(value);
};

const nothing = (value: unknown): boolean => value === 0n || value === 0 || value === '';

const scalarPoints = (told: Scalars, known: Scalars, trust: (name: FactName) => Trust): Likeness => {
  const agrees: Point[] = [];
  const differs: Point[] = [];
  for (const name of Object.keys(weights) as FactName[]) {
    const [live, value] = [told[name], known[name]];
    const reliable = trust(name);
    if (live === undefined || value === undefined || reliable === 'refuted') continue;
    const { agree, differ } = trustedWeights(name, reliable);
    if (live === value)
      agrees.push({ text: `${name} ${factText(name, live)}`, weight: nothing(live) ? 0 : agree });
    else
      differs.push({ text: `${name} ${factText(name, live)}, not ${factText(name, value)}`, weight: differ });
  }
  return { agrees, differs };
};

const noLikeness: Likeness = { agrees: [], differs: [] };
const agreeing = (text: string, weight: Point['weight']): Likeness => ({
  agrees: [{ text, weight }],
  differs: [],
});
const differing = (text: string): Likeness => ({ agrees: [], differs: [{ text, weight: 2 }] });

/** Bytes beyond the end of the file never reach an application, so they are not looked at. */
const dataPoints = ({ data }: Fingerprint, facts: Facts): Likeness => {
  if (data === undefined) return noLikeness;
  if (facts.scalars.type !== undefined && facts.scalars.type !== REGULAR)
    return differing('contents, of what is no file');
  const offset = Number(data.offset);
  const size = sizeOf(facts.scalars);
  const there = size === undefined ? data.bytes.length : Math.max(0, Number(size) - offset);
  const bytes = data.bytes.subarray(0, there);
  const { compared, differsAt, expected, telling } = facts.content.match(offset, bytes);
  if (differsAt !== undefined)
    return differing(
      `contents ${bytesText(bytes.subarray(differsAt - offset))} from ${differsAt} on, not ${bytesText(expected ?? bytes)}`,
    );
  if (size !== undefined && bytes.length < Math.min(there, data.asked))
    return differing(`${bytes.length} bytes at ${offset}, not ${Math.min(there, data.asked)}`);
  return compared === 0 ? noLikeness : agreeing(`contents, ${compared} bytes at ${offset}`, telling ? 2 : 0);
};

const xattrPoints = ({ xattr }: Fingerprint, facts: Facts): Likeness => {
  if (xattr === undefined || !facts.xattrs.has(xattr.name)) return noLikeness;
  const known = facts.xattrs.get(xattr.name);
  const label = `attribute ${JSON.stringify(xattr.name)}`;
  if (known === undefined) return differing(`${label} ${bytesText(xattr.value)}, not absent`);
  if (Buffer.compare(known, xattr.value) === 0) return agreeing(label, known.length === 0 ? 0 : 2);
  return differing(`${label} ${bytesText(xattr.value, known)}, not ${bytesText(known, xattr.value)}`);
};

const quoted = (names: readonly string[]): string =>
  names.length === 0
    ? 'nothing'
    : names
        .slice(0, 4)
        .map((name) => JSON.stringify(name))
        .join(' ')
        .concat(names.length > 4 ? ' …' : '');

const namePoints = ({ names }: Fingerprint, facts: Facts): Likeness => {
  if (names === undefined) return noLikeness;
  const told = new Set(names.known);
  const present = [...facts.names].filter(([, is]) => is).map(([name]) => name);
  const extra = names.known.filter((name) => facts.names.get(name) === false || isExtra(facts, name));
  const missing = names.complete ? present.filter((name) => !told.has(name)) : [];
  if (extra.length > 0 || missing.length > 0)
    return differing(`holds ${quoted(extra)} too, lacks ${quoted(missing)}`);
  const shared = present.filter((name) => told.has(name));
  return shared.length === 0 ? noLikeness : agreeing(`holds ${quoted(shared)}`, 2);
};

const isExtra = (facts: Facts, name: string): boolean => facts.listed && !facts.names.has(name);

/** Compares what a reply tells with an object. */
export const likeness = (
  told: Fingerprint,
  facts: Facts,
  trust: (name: FactName) => Trust = () => 'untested',
): Likeness => {
  const parts = [
    scalarPoints(told.scalars, facts.scalars, trust),
    dataPoints(told, facts),
    xattrPoints(told, facts),
    namePoints(told, facts),
  ];
  return { agrees: parts.flatMap((part) => part.agrees), differs: parts.flatMap((part) => part.differs) };
};

/** Whether the facts that agree are enough to tell one object from most others. */
export const isTelling = ({ agrees }: Likeness): boolean =>
  agrees.reduce((sum, { weight }) => sum + weight, 0) >= 2;

/** Whether a fact differs that an object cannot change unseen. */
export const isExcluded = ({ differs }: Likeness): boolean => differs.some(({ weight }) => weight === 2);

/** Points for people: those that say something, all of them when none does. */
export const pointsText = (points: readonly Point[]): string => {
  const telling = points.filter(({ weight }) => weight > 0);
  return (telling.length > 0 ? telling : points).map(({ text }) => text).join(', ');
};

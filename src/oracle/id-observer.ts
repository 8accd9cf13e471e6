/** Collects the ids of a session by incarnation and says what kinds they are. Pure. */

import { type IdEvent, IdTally } from './id-features.js';
import { classifyIds, type IdClass, type MappedRange, repeatedIds } from './id-kind.js';

/** Which ids: file and directory handles are often made in different ways. */
export type IdGroup = 'nodes' | 'files' | 'directories';

/** An event and where it belongs. */
export interface ObservedId extends IdEvent {
  readonly incarnation: number;
  readonly group: IdGroup;
}

/** The ids of a session. */
export interface IdReport {
  readonly nodeids: IdClass;
  /** Of files and directories together: the more dangerous of the two. */
  readonly handles: IdClass;
  readonly files: IdClass;
  readonly directories: IdClass;
}

/** Gives the mappings that the server had in an incarnation. */
export type RangesOf = (incarnation: number) => readonly MappedRange[];

const merge = (files: IdClass, directories: IdClass): IdClass => {
  if (files.count === 0) return directories;
  if (directories.count === 0) return files;
  const isWorse = directories.pointers > 0 && files.pointers === 0;
  const [first, second] = isWorse ? [directories, files] : [files, directories];
  const [a, b] = isWorse ? ['directories', 'files'] : ['files', 'directories'];
  return {
    count: files.count + directories.count,
    kind: first.kind,
    pointers: files.pointers + directories.pointers,
    evidence: [
      ...first.evidence.map((text) => `${a}: ${text}`),
      ...second.evidence.map((text) => `${b}: ${second.kind}, ${text}`),
    ],
  };
};

/** Follows the ids of a session. */
export class IdObserver {
  readonly #tallies = new Map<IdGroup, Map<number, IdTally>>();

  /** Takes an event in; in order. */
  add(event: ObservedId): void {
    const byIncarnation = this.#tallies.get(event.group) ?? new Map<number, IdTally>();
    const tally = byIncarnation.get(event.incarnation) ?? new IdTally(event.group !== 'nodes');
    this.#tallies.set(event.group, byIncarnation.set(event.incarnation, tally));
    tally.add(event);
  }

  /** What the ids are. */
  report(rangesOf: RangesOf): IdReport {
    const files = this.#classify('files', rangesOf);
    const directories = this.#classify('directories', rangesOf);
    return {
      nodeids: this.#classify('nodes', rangesOf),
      handles: merge(files, directories),
      files,
      directories,
    };
  }

  /** The incarnation with most ids decides; all of them count. */
  #classify(group: IdGroup, rangesOf: RangesOf): IdClass {
    const tallies = [...(this.#tallies.get(group) ?? [])].sort(([a], [b]) => a - b);
    const what = group === 'nodes' ? 'node' : 'handle';
    const classes = tallies.map(([incarnation, tally]) =>
      classifyIds({ what, tally, ranges: rangesOf(incarnation) }),
    );
    const [richest] = [...classes].sort((a, b) => b.count - a.count);
    if (richest === undefined) return classifyIds({ what, tally: new IdTally(false), ranges: [] });
    return {
      count: classes.reduce((sum, { count }) => sum + count, 0),
      kind: richest.kind,
      pointers: classes.reduce((sum, { pointers }) => sum + pointers, 0),
      evidence: [...richest.evidence, ...restartEvidence(tallies.map(([, tally]) => tally))],
    };
  }
}

const restartEvidence = (tallies: readonly IdTally[]): string[] =>
  tallies.slice(1).flatMap((after, i) => {
    const before = tallies[i];
    const { repeated, other } = before === undefined ? { repeated: 0, other: 0 } : repeatedIds(before, after);
    if (repeated === 0) return [];
    const wrong = other === 0 ? '' : `, ${other} of them for another inode`;
    return [`after restart ${i + 1}, ${repeated} of ${after.firsts.length} had been given before${wrong}`];
  });

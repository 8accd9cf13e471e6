/** What a planted bug is: the truth about it for those who measure how well it is found, and how a memfs gets it. */

import type { OperationName } from '../../protocol/operations.js';
import type { MemfsVariation } from '../memfs.js';
import type { MemfsOptions } from '../options.js';

/** How the server goes wrong when the bug shows: the unsafe verdicts. */
export type UnsafeVerdict =
  | 'wrong-object'
  | 'poison'
  | 'lost'
  | 'leak'
  | 'crash'
  | 'abort'
  | 'hang'
  | 'malformed'
  | 'twice';

/** Which kind of mistake it is. */
export type Mechanism =
  | 'pointer id'
  | 'recycled number'
  | 'counter restart'
  | 'generation ignored'
  | 'handle confusion'
  | 'count trusted'
  | 'length trusted'
  | 'offset trusted'
  | 'unfilled reply'
  | 'assertion'
  | 'deadlock'
  | 'resend'
  | 'reply format'
  | 'session state';

/** The options of memfs that a bug or its fix may be about. */
export type Policy = Pick<MemfsOptions, 'ids' | 'handles' | 'unknown' | 'check' | 'resent' | 'reusesInos'>;

/** The parts of memfs that a bug or its fix may be in. */
export type Parts = Pick<MemfsVariation, 'wrapHandlers' | 'wrapNodes' | 'wrapHandles' | 'wrapEngine'>;

/** A memfs with one mistake, and its twin that differs only in the fix. */
export interface PlantedBug {
  readonly name: string;
  /** What the server does wrong; a clause without a subject and without a full stop. */
  readonly summary: string;
  /** What the twin does instead, in the same form. */
  readonly fix: string;
  readonly mechanism: Mechanism;
  /** What may be said of the bug when it shows; any of them is right. */
  readonly verdicts: readonly [UnsafeVerdict, ...UnsafeVerdict[]];
  /** Operations whose requests show it; none when any request with an id does, or when it is no operation that does. */
  readonly ops: readonly OperationName[];
  /** Where it departs from `safest`. Absent when it does not. */
  readonly policy?: (fixed: boolean) => Partial<Policy>;
  /** Parts of a new incarnation, made anew for each. Absent when the policy says it all. */
  readonly parts?: (fixed: boolean) => Partial<Parts>;
}

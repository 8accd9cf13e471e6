/** The stations of a tour in their order, and what is known of those that were left. */

import type { Calls } from './calls.js';
import { makeChanges, removeChanges, type SetUp, setUp } from './changes.js';
import type { Writing, Written } from './options.js';
import type { TourState } from './state.js';
import { lookUpDots, revisit, walk } from './walk.js';

/** One tour's way. */
export class Route {
  readonly #state: TourState;
  readonly #writing: Writing;
  readonly #seed: number;
  #workshop: SetUp | undefined;
  #written: Written = { kind: 'none' };

  constructor(state: TourState, writing: Writing, seed: number) {
    this.#state = state;
    this.#writing = writing;
    this.#seed = seed;
  }

  /** What became of the changes until now. */
  get written(): Written {
    return this.#written;
  }

  /** Files and directories that are open now. */
  get held(): { readonly files: number; readonly directories: number } {
    const { heldFiles, heldDirectories } = this.#state;
    return {
      files: heldFiles.length + (this.#workshop?.held.length ?? 0),
      directories: heldDirectories.length,
    };
  }

  /** All system calls of the tour. */
  *calls(): Calls<void> {
    yield* walk(this.#state);
    yield* lookUpDots(this.#state);
    if (this.#writing !== 'none') yield* this.#change();
    yield* revisit(this.#state);
    if (this.#writing === 'remove') yield* this.#remove();
  }

  *#change(): Calls<void> {
    const made = yield* setUp(this.#state, this.#seed);
    if ('errno' in made) {
      this.#written = { kind: 'refused', errno: made.errno };
      return;
    }
    this.#workshop = made;
    this.#written = { kind: 'kept', directory: `/${made.name}` };
    yield* makeChanges(made);
  }

  *#remove(): Calls<void> {
    const workshop = this.#workshop;
    if (workshop === undefined) return;
    const errno = yield* removeChanges(workshop);
    this.#written = { kind: 'removed', directory: `/${workshop.name}`, errno };
  }
}

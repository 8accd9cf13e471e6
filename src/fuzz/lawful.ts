/** What the requests of a life may lawfully have changed, and which of its ids they gave back: neither is held against them. */

import type { ObjectKey } from '../oracle/seen.js';
import { IN_HEADER_SIZE } from '../protocol/header.js';
import type { Operation } from '../protocol/operations.js';
import { u32At } from '../protocol/raw.js';
import type { Case, CaseRequest } from './case.js';
import { type Era, releasedBy, type World } from './world.js';

const changing: ReadonlySet<string> = new Set(['data', 'name', 'attr', 'xattr', 'unknown']);
/** Whether requests of an operation can change what the file system holds; an OPEN can truncate. */
export const isChanging = ({ effect, name }: Operation): boolean => changing.has(effect) || name === 'OPEN';

/** Flags are the first field of `fuse_open_in`. */
const OPEN_FLAGS_AT = IN_HEADER_SIZE;
const O_TRUNC = 0o1000;
const O_ACCMODE = 3;

const isChange = ({ effect, name }: Operation, bytes: Uint8Array): boolean =>
  changing.has(effect) || (name === 'OPEN' && (u32At(bytes, OPEN_FLAGS_AT) & O_TRUNC) !== 0);

/** Whether a request asks for a change of what the file system holds. */
export const asksForChange = ({ op, bytes }: CaseRequest): boolean => op === undefined || isChange(op, bytes);

/** Whether a request may change how things are stored: also one that opens for writing, before which some servers copy. */
export const mayTouch = (request: CaseRequest): boolean =>
  asksForChange(request) ||
  (request.op?.name === 'OPEN' && (u32At(request.bytes, OPEN_FLAGS_AT) & O_ACCMODE) !== 0);

/** Whether a request gives an id back. */
export const givesUpIds = ({ op }: CaseRequest): boolean =>
  op?.ids.some(({ act, side, kind }) => act === 'release' && side === 'request' && kind !== 'owner') === true;

/** The account of one life. */
export class Lawful {
  /** Objects that requests since the last look were to change. */
  readonly #changed = new Set<ObjectKey>();
  /** Symbols of live ids that requests gave back. */
  readonly #gone = new Set<number>();
  /** Of each object, the operations that made its facts doubtful. */
  readonly #doubted = new Map<ObjectKey, Set<string>>();

  /** Objects that may be otherwise than they were. */
  get changed(): ReadonlySet<ObjectKey> {
    return this.#changed;
  }

  /** Symbols that need not work any more. */
  get gone(): ReadonlySet<number> {
    return this.#gone;
  }

  /** Takes the requests of a case, before they are sent. */
  take({ requests, meant }: Pick<Case, 'requests' | 'meant'>, world: World, era: Era): void {
    for (const request of requests) {
      if (givesUpIds(request))
        for (const one of releasedBy(request.patches).flatMap((each) => world.goneWith(each)))
          this.#gone.add(one);
      if (!asksForChange(request)) continue;
      const keys = [
        ...world.meantBy(request, era.negotiated),
        ...world.hitBy(request, era),
        ...meant.map((symbol) => world.keyOf(symbol)),
      ];
      for (const key of keys) this.#changed.add(key);
      world.doubt(
        keys.filter((key) => this.#isNews(key, request)),
        request,
        era,
      );
    }
  }

  /** All was looked at: what changes from now on is new. */
  looked(): void {
    this.#changed.clear();
    this.#doubted.clear();
  }

  #isNews(key: ObjectKey, { op }: CaseRequest): boolean {
    const known = this.#doubted.get(key) ?? new Set();
    const name = op?.name ?? '';
    if (known.has(name)) return false;
    this.#doubted.set(key, known.add(name));
    return true;
  }
}

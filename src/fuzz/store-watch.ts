/**
 * Watches the backing directory of a life for changes that no request of it may have made, also of objects that no request
 * named. Where names in the store are not those in the mount, it only tells while nothing was to change at all.
 */

import { decodeRequest } from '../protocol/decode.js';
import { requestIdMap, visitIds } from '../protocol/id-sites.js';
import type { Fields } from '../protocol/layout.js';
import type { Case, CaseRequest } from './case.js';
import { asksForChange } from './lawful.js';
import type { Scenery } from './scenery.js';
import { type StoreChange, StoreTree } from './store-tree.js';
import type { Era } from './world.js';

/** libfuse keeps removed files that are open under such a name. */
const HIDDEN = /\/\.fuse_hidden[^/]*$/;

/** The watch over one life. */
export class StoreWatch {
  readonly #scenery: Pick<Scenery, 'world' | 'era' | 'bindings'>;
  readonly #top: string;
  #tree: StoreTree;
  readonly #isMirror: boolean;
  /** Requests that ask for a change, of which nobody worked out yet what it may be. */
  #waiting: { readonly request: CaseRequest; readonly isDone: boolean }[] = [];
  readonly #lawful = new Set<string>();
  readonly #lawfulInos = new Set<bigint>();
  #isAllLawful = false;

  /** Begins when the life is ready for cases; `top` is the backing directory. */
  constructor(top: string, scenery: Pick<Scenery, 'world' | 'era' | 'bindings'>) {
    this.#scenery = scenery;
    this.#top = top;
    this.#tree = new StoreTree(top);
    const { world, era, bindings } = scenery;
    const paths = world.targets(bindings, era.life).map(({ key }) => world.pathOf(key));
    const below = paths.filter((path) => path !== '/');
    const isSeen = below.length > 0 && below.every((path) => path !== undefined && this.#tree.has(path));
    // What was moved while the server was down may rightly be changed where it is now.
    this.#isMirror = isSeen && !era.isStoreChanged;
  }

  /** Takes the cases of a batch that was played, and the requests that may have touched the store. */
  note(cases: readonly Case[], touching: readonly CaseRequest[]): void {
    if (touching.length > 0 && !this.#isMirror) this.#isAllLawful = true;
    if (this.#isAllLawful) return;
    for (const { requests, meant } of cases) {
      for (const request of requests)
        if (asksForChange(request)) this.#waiting.push({ request, isDone: false });
      for (const symbol of meant) this.#allow(this.#scenery.world.pathOf(this.#scenery.world.keyOf(symbol)));
    }
    for (const request of touching) this.#waiting.push({ request, isDone: true });
  }

  /** What changed since the last look that found something although no request was to change it, in words. */
  changes(): string[] {
    if (this.#isAllLawful) return [];
    const changes = this.#tree.changes();
    if (changes.length === 0) return [];
    for (const { request, isDone } of this.#waiting) this.#allowFor(request, isDone);
    this.#waiting = [];
    if (this.#isAllLawful) return [];
    const unlawful = changes.filter((change) => !this.#isLawful(change));
    if (unlawful.length > 0) this.#tree = new StoreTree(this.#top);
    return unlawful.map(({ path, how }) => `${path} ${how}`);
  }

  /** Where a request leads by its ids and names; what has ids that nobody knows may change anything, if the server took it. */
  #allowFor(request: CaseRequest, isDone: boolean): void {
    const { world, era } = this.#scenery;
    const paths = world.namedBy(request).map((key) => world.pathOf(key));
    const decoded = decodeRequest(request.bytes, era.negotiated);
    if (decoded.kind !== 'request' || paths.includes(undefined) || !areIdsKnown(request, era)) {
      this.#isAllLawful ||= isDone;
      return;
    }
    const { name, oldname, newname }: Fields = decoded.fields;
    const names = [name, oldname, newname].filter((one) => typeof one === 'string');
    for (const path of paths)
      if (request.op?.effect !== 'name') this.#allow(path);
      else for (const one of names) this.#allow(path === '/' ? `/${one}` : path && `${path}/${one}`);
  }

  #allow(path: string | undefined): void {
    // An object of which nobody knows where it is.
    if (path === undefined) this.#isAllLawful = true;
    else this.#lawful.add(path);
    const ino = path === undefined ? undefined : this.#tree.inoOf(path);
    if (ino !== undefined) this.#lawfulInos.add(ino);
  }

  #isLawful({ path, ino }: StoreChange): boolean {
    if (HIDDEN.test(path) || (ino !== undefined && this.#lawfulInos.has(ino))) return true;
    for (let upper = path; upper !== ''; upper = upper.slice(0, upper.lastIndexOf('/')))
      if (this.#lawful.has(upper)) return true;
    return false;
  }
}

/** Whether all nodes and handles of a request are ids as they were minted. */
const areIdsKnown = ({ op, bytes, patches }: CaseRequest, { negotiated }: Era): boolean => {
  if (op === undefined) return false;
  let isKnown = true;
  visitIds(requestIdMap(op, negotiated), bytes, ({ kind }, at) => {
    if (kind !== 'node' && kind !== 'handle') return;
    const own = patches.find((patch) => patch.offset === at);
    if (own?.kind !== 'symbol' || own.shift !== undefined) isKnown = false;
  });
  return isKnown;
};

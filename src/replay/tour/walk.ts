/** The walk: breadth first from the root, every entry looked up and visited, up to the limits. */

import { ROOT_ID } from '../../base/ids.js';
import type { Calls } from './calls.js';
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from './file-types.js';
import { read } from './files.js';
import { type Listed, list, readSome } from './listing.js';
import type { KnownNode, TourState } from './state.js';
import { fstat, visit } from './visit.js';

/** Chance that a name is looked up although READDIRPLUS gave its node, as when a time-out ran out. */
const LOOKED_UP_AGAIN = 0.25;
/** Nodes that are looked at a second time. */
const REVISITED = 64;
/** Nodes whose "." and ".." are looked up. */
const EXPORTED = 32;

/** Walks all that the limits allow. */
export function* walk(state: TourState): Calls<void> {
  const root: KnownNode = { nodeid: ROOT_ID, parent: ROOT_ID, name: '', type: S_IFDIR, size: 0n };
  const queue = [{ node: root, depth: 0 }];
  yield* state.caller.ask('STATFS', ROOT_ID, {});
  yield* meet(state, root);
  for (const { node, depth } of queue) {
    const found = yield* walkDirectory(state, node);
    const below = found
      .filter(({ type }) => type === S_IFDIR)
      .map((child) => ({ node: child, depth: depth + 1 }));
    if (depth < state.limits.depth) queue.push(...below);
    else if (below.length > 0) state.cut.add('depth');
  }
}

/** Looks at some nodes again, by name and by nodeid, and at everything that is kept open. */
export function* revisit(state: TourState): Calls<void> {
  const { caller } = state;
  for (const { nodeid, parent, name } of state.someNodes(REVISITED)) {
    yield* caller.ask('LOOKUP', parent, { name });
    yield* caller.ask('GETATTR', nodeid, {});
  }
  for (const file of state.held) {
    if (file.isDirectory) yield* readSome(state, file, 0n);
    else {
      yield* fstat(state, file);
      yield* read(caller, file, { offset: 0n, length: 1 });
    }
  }
  yield* caller.ask('STATFS', ROOT_ID, {});
}

/**
 * Asks for nodes by their nodeids alone, as the kernel does for file handles of NFS and open_by_handle_at(2):
 * "." for any node (`fuse_get_dentry`), ".." for a directory (`fuse_get_parent`).
 */
export function* lookUpDots(state: TourState): Calls<void> {
  const { caller, counts } = state;
  if (!caller.has('EXPORT_SUPPORT') || caller.has('NO_EXPORT_SUPPORT')) return;
  for (const { nodeid, type } of state.someNodes(EXPORTED)) {
    yield* caller.ask('LOOKUP', nodeid, { name: '.' });
    counts.dots++;
    if (type !== S_IFDIR) continue;
    yield* caller.ask('LOOKUP', nodeid, { name: '..' });
    counts.dots++;
  }
}

/** What a directory holds, each met. */
function* walkDirectory(state: TourState, { nodeid }: KnownNode): Calls<KnownNode[]> {
  const { counts, limits } = state;
  if (counts.entries >= limits.entries) {
    state.cut.add('entries');
    return [];
  }
  const listed = yield* list(state, nodeid, { most: limits.entries - counts.entries, mayStayOpen: true });
  const found: KnownNode[] = [];
  for (const entry of listed) {
    counts.entries++;
    const node = yield* identify(state, nodeid, entry);
    // A second name of a node met before leads to nothing new.
    if (node !== undefined && (yield* meet(state, node))) found.push(node);
  }
  return found;
}

/** The node of a name; `undefined` when it is gone. */
function* identify(state: TourState, parent: bigint, { name, node }: Listed): Calls<KnownNode | undefined> {
  const isKnown = node !== undefined && !state.rng.chance(LOOKED_UP_AGAIN);
  const given = isKnown ? node : (yield* state.caller.ask('LOOKUP', parent, { name })).fields;
  if (given === undefined || given.nodeid === 0n) return undefined;
  const { nodeid, attr } = given;
  return { nodeid, parent, name, type: attr.mode & S_IFMT, size: attr.size };
}

/** Visits a node that was not met before; false for one that was. */
function* meet(state: TourState, node: KnownNode): Calls<boolean> {
  if (state.nodes.has(node.nodeid)) return false;
  state.nodes.set(node.nodeid, node);
  count(state, node);
  yield* visit(state, node);
  return true;
}

const count = ({ counts }: TourState, { type }: KnownNode): void => {
  if (type === S_IFDIR) counts.directories++;
  else if (type === S_IFREG) counts.files++;
  else if (type === S_IFLNK) counts.links++;
  else counts.others++;
};

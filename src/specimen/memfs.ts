/** `relight specimen memfs`: puts the parts of a server together and runs it on its channel. */

import { writeSync } from 'node:fs';
import { openServerChannel } from '../transport/server-channel.js';
import { type Engine, makeEngine } from './engine/engine.js';
import type { Handlers } from './engine/handler.js';
import { faithful } from './engine/handlers.js';
import type { Manner } from './engine/server.js';
import type { Handles } from './handles/handles.js';
import { type HandleCheck, type HandlePolicyName, handleDefaults, makeHandles } from './handles/policies.js';
import { Heap, type Pages, processPages } from './ids/heap.js';
import type { NodeIds } from './ids/node-ids.js';
import { idPolicies, makeNodeIds } from './ids/policies.js';
import type { MemfsOptions } from './options.js';
import { serve } from './serve.js';
import type { Time } from './store/inode.js';
import { type Journal, openJournal, openMemory } from './store/journal.js';
import { Store } from './store/store.js';

/** What the parts of an incarnation stand on. */
export interface World {
  readonly store: Store;
  /** Memory, the same for all parts; mapped when it is first wanted. */
  readonly heap: () => Heap;
  /** Ends the server as a failed assertion does. */
  readonly die: (message: string) => never;
}

/**
 * What a specimen with a planted bug changes, and what a test puts in place of the world. The `wrap` functions get the
 * faithful part and give the one that is used.
 */
export interface MemfsVariation {
  readonly wrapHandlers: (handlers: Handlers, world: World) => Handlers;
  readonly wrapNodes: (nodes: NodeIds, world: World) => NodeIds;
  readonly wrapHandles: (handles: Handles, world: World) => Handles;
  /** Sees the bytes of every request and of what is said to it. */
  readonly wrapEngine: (engine: Engine, world: World) => Engine;
  readonly now: () => Time;
  readonly pages: Pages;
  readonly die: (message: string) => never;
}

/** The time of day. */
const timeOfDay = (): Time => {
  const ms = Date.now();
  return { sec: BigInt(Math.floor(ms / 1000)), nsec: (ms % 1000) * 1_000_000 };
};

const abort = (message: string): never => {
  writeSync(2, `memfs: ${message}\n`);
  process.abort();
};

const real: MemfsVariation = {
  wrapHandlers: (handlers) => handlers,
  wrapNodes: (nodes) => nodes,
  wrapHandles: (handles) => handles,
  wrapEngine: (engine) => engine,
  now: timeOfDay,
  pages: processPages,
  die: abort,
};

/** A server without a channel. */
export interface Memfs {
  readonly engine: Engine;
  readonly store: Store;
  /** Closes the store's file. */
  close(): void;
}

/** Without handles the nodeid is all there is to go by, so it is looked at whatever the check. */
const checkOf = ({ check, ids }: MemfsOptions, handles: HandlePolicyName): HandleCheck => {
  const wanted = check ?? handleDefaults[ids].check;
  return handles === 'none' && wanted === 'none' ? 'known' : wanted;
};

const mannerOf = (options: MemfsOptions, handles: HandlePolicyName): Manner => ({
  unknownNode: options.unknown ?? idPolicies[options.ids].unknown,
  handleCheck: checkOf(options, handles),
  entryTimeoutS: options.entryTimeoutS,
  attrTimeoutS: options.attrTimeoutS,
  negativeTimeoutS: options.negativeTimeoutS,
  resent: options.resent,
  minor: options.minor,
  maxWrite: options.maxWrite,
});

const filled = (store: Store, { seed, files, store: path }: MemfsOptions): Journal => {
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const planted = { seed, files, ...owner };
  return path === undefined ? openMemory(store, planted) : openJournal(store, path, planted);
};

/** Makes one incarnation; `variation` replaces parts of it. */
export const makeMemfs = (options: MemfsOptions, variation: Partial<MemfsVariation> = {}): Memfs => {
  const parts = { ...real, ...variation };
  const { now, die } = parts;
  const store = new Store({ reusesInos: options.reusesInos });
  const journal = filled(store, options);
  let made: Heap | undefined;
  const heap = (): Heap => {
    made ??= new Heap(parts.pages);
    return made;
  };
  const world: World = { store, heap, die };
  const policy = options.handles ?? handleDefaults[options.ids].handles;
  const nodes = parts.wrapNodes(makeNodeIds(options.ids, store, heap), world);
  const handles = parts.wrapHandles(makeHandles(policy, store, heap), world);
  const handlers = parts.wrapHandlers(faithful, world);
  const manner = mannerOf(options, policy);
  const engine = makeEngine({ handlers, store, nodes, handles, manner, now, die, journal });
  return { engine: parts.wrapEngine(engine, world), store, close: journal.close };
};

/**
 * Runs a memfs until it is unmounted, its channel closes, or SIGTERM, SIGINT or SIGHUP comes; the exit status, always 0.
 * RelightError when the store or the mount point is no good.
 */
export const runMemfs = async (
  options: MemfsOptions,
  variation: Partial<MemfsVariation> = {},
): Promise<number> => {
  const memfs = makeMemfs(options, variation);
  const channel = openServerChannel(options.mountPoint, options.mountOptions);
  let stopped = false;
  const stop = (): void => {
    stopped = true;
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop);
  const { maxWrite, delays } = options;
  try {
    await serve({ engine: memfs.engine, channel, maxWrite, delays, isStopped: () => stopped });
  } finally {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.off(signal, stop);
    channel.close();
    memfs.close();
  }
  return 0;
};

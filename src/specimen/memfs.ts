/** `relight specimen memfs`: puts the parts of a server together and runs it on its channel. */

import { writeSync } from 'node:fs';
import { openServerChannel } from '../transport/server-channel.js';
import { type Engine, makeEngine } from './engine/engine.js';
import type { Handlers } from './engine/handler.js';
import { faithful } from './engine/handlers.js';
import type { Manner } from './engine/server.js';
import { handleDefaults, makeHandles } from './handles/policies.js';
import { Heap, type Pages, processPages } from './ids/heap.js';
import { idPolicies, makeNodeIds } from './ids/policies.js';
import type { MemfsOptions } from './options.js';
import { serve } from './serve.js';
import type { Time } from './store/inode.js';
import { type Journal, openJournal } from './store/journal.js';
import { plantTree } from './store/seed.js';
import { Store } from './store/store.js';

/** What a specimen changes, and what a test puts in place of the world. */
export interface MemfsVariation {
  readonly handlers: Handlers;
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

const real: MemfsVariation = { handlers: faithful, now: timeOfDay, pages: processPages, die: abort };

/** A server without a channel. */
export interface Memfs {
  readonly engine: Engine;
  readonly store: Store;
  /** Closes the store's file. */
  close(): void;
}

const mannerOf = (options: MemfsOptions): Manner => ({
  unknownNode: options.unknown ?? idPolicies[options.ids].unknown,
  handleCheck: options.check ?? handleDefaults[options.ids].check,
  entryTimeoutS: options.entryTimeoutS,
  attrTimeoutS: options.attrTimeoutS,
  negativeTimeoutS: options.negativeTimeoutS,
  minor: options.minor,
  maxWrite: options.maxWrite,
});

const noJournal: Journal = { commit: () => undefined, close: () => undefined };

const filled = (store: Store, { seed, files, store: path }: MemfsOptions): Journal => {
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  if (path !== undefined) return openJournal(store, path, { seed, files, ...owner });
  plantTree(store, { seed, files, ...owner });
  return noJournal;
};

/** Makes one incarnation; `variation` replaces parts of it. */
export const makeMemfs = (options: MemfsOptions, variation: Partial<MemfsVariation> = {}): Memfs => {
  const { pages, handlers, now, die } = { ...real, ...variation };
  const store = new Store({ reusesInos: options.reusesInos });
  const journal = filled(store, options);
  let made: Heap | undefined;
  const heap = (): Heap => {
    made ??= new Heap(pages);
    return made;
  };
  const nodes = makeNodeIds(options.ids, store, heap);
  const handles = makeHandles(options.handles ?? handleDefaults[options.ids].handles, store, heap);
  const manner = mannerOf(options);
  const engine = makeEngine({ handlers, store, nodes, handles, manner, now, die, commit: journal.commit });
  return { engine, store, close: journal.close };
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

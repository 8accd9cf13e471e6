/**
 * Keeps a store over restarts: a file of lines, each the changes of one request, written before that request is answered,
 * so that what was acknowledged survives kill -9. The first line says from which seed the tree grew.
 */

import { closeSync, existsSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import { RelightError } from '../../base/error.js';
import type { Answered, Change } from './change.js';
import { answerFromJson, answerToJson, changeFromJson, changeToJson } from './change-json.js';
import { plantTree, type Seed } from './seed.js';
import type { Store } from './store.js';

const FORMAT = 1;

/** Where the store's changes go. */
export interface Journal {
  /** Answers that earlier incarnations gave, oldest first. */
  readonly answered: readonly Answered[];
  /** Writes what changed since the last commit, with the answer if there is one; true when anything had changed. */
  commit(answer: Answered | undefined): boolean;
  close(): void;
}

/** Keeps nothing: the tree lives and dies with the process. */
export const openMemory = (store: Store, seed: Seed): Journal => {
  plantTree(store, seed);
  let changed = false;
  store.onChange = () => {
    changed = true;
  };
  const commit = (): boolean => {
    const had = changed;
    changed = false;
    return had;
  };
  return { answered: [], commit, close: () => undefined };
};

/**
 * Fills the empty store from the file, or from the seed when there is no such file yet, and writes later changes to it.
 * An existing file keeps the seed that it was made with. A torn last line was never acknowledged and is dropped.
 * RelightError `usage` when the file is something else, `environment` when it cannot be opened.
 */
export const openJournal = (store: Store, path: string, seed: Seed): Journal => {
  const isNew = !existsSync(path);
  if (isNew) plantTree(store, seed);
  const answered = isNew ? [] : replay(store, path);
  const fd = opened(path);
  if (isNew) writeLine(fd, { relightStore: FORMAT, ...seed });
  return recorder(store, fd, answered);
};

const writeLine = (fd: number, value: object): void => {
  writeSync(fd, `${JSON.stringify(value)}\n`);
};

const opened = (path: string): number => {
  try {
    return openSync(path, 'a', 0o600);
  } catch (cause) {
    throw new RelightError('environment', `cannot write the store ${path}`, { cause });
  }
};

const recorder = (store: Store, fd: number, answered: readonly Answered[]): Journal => {
  let pending: Change[] = [];
  store.onChange = (change) => pending.push(change);
  return {
    answered,
    commit: (answer) => {
      if (pending.length === 0) return false;
      writeLine(fd, { changes: pending.map(changeToJson), ...(answer && { answer: answerToJson(answer) }) });
      pending = [];
      return true;
    },
    close: () => closeSync(fd),
  };
};

const replay = (store: Store, path: string): Answered[] => {
  const bytes = readFileSync(path);
  const whole = bytes.lastIndexOf(0x0a) + 1;
  const [head = '', ...lines] = bytes.toString('utf8', 0, whole).split('\n');
  plantTree(store, seedOf(head, path));
  const answered = lines.filter((line) => line !== '').flatMap((line) => replayLine(store, line, path));
  store.reapAll();
  if (whole < bytes.length) truncateSync(path, whole);
  return answered;
};

const replayLine = (store: Store, line: string, path: string): Answered[] => {
  const commit = parsed(line, path);
  const changes: unknown = Reflect.get(Object(commit), 'changes');
  if (!Array.isArray(changes)) throw notAStore(path);
  for (const change of changes) store.restore(changeFromJson(change) ?? fail(notAStore(path)));
  const answer = answerFromJson(Reflect.get(Object(commit), 'answer'));
  return answer === undefined ? [] : [answer];
};

const notAStore = (path: string, cause?: unknown): RelightError =>
  new RelightError('usage', `${path} is not a store of relight specimen memfs`, {
    remedy: 'name a file that does not exist yet, or one that an earlier run made',
    cause,
  });

const parsed = (text: string, path: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw notAStore(path, cause);
  }
};

const seedOf = (line: string, path: string): Seed => {
  const head = parsed(line, path);
  const field = (name: string): number => {
    const value: unknown = Reflect.get(Object(head), name);
    if (typeof value !== 'number') throw notAStore(path);
    return value;
  };
  if (field('relightStore') !== FORMAT) throw notAStore(path);
  return { seed: field('seed'), files: field('files'), uid: field('uid'), gid: field('gid') };
};

const fail = (error: RelightError): never => {
  throw error;
};

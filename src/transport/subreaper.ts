/** Keeps hold of processes that a server leaves behind: as their new parent we can wait for them, signal and end them. */

import { constants } from 'node:os';
import { prctl, waitpid } from './libc.js';
import { childrenOf, descriptorsOf, treeOf } from './proc.js';

const PR_SET_CHILD_SUBREAPER = 36;

/** How a process ended. Both absent: nobody could tell. */
export interface ProcessExit {
  readonly pid: number;
  readonly code: number | undefined;
  /** Signal that killed it. */
  readonly signal: NodeJS.Signals | undefined;
  /** Where it was when a fatal signal came, innermost frame first, when a debugger watched. */
  readonly backTrace?: readonly string[];
}

/** Children that Node waits for itself; taking their status away would leave it waiting for ever. */
const ownedByNode = new Set<number>();

/** Notes a child that was started through Node, until its `exit` event. */
export const ownChild = (pid: number): void => {
  ownedByNode.add(pid);
};
/** Forgets a child whose `exit` event came. */
export const disownChild = (pid: number): void => {
  ownedByNode.delete(pid);
};

/** Makes this process the parent of orphans among its descendants; for the rest of its life. */
export const becomeSubreaper = (): void => {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
};

/** Where a number has two names (SIGABRT and SIGIOT), the first one is what Node says, too. */
const signalNames = new Map(
  Object.entries(constants.signals)
    .map(([name, number]) => [number, name as NodeJS.Signals] as const)
    .reverse(),
);

/** Exit of a raw wait status (sys/wait.h). */
const exitOf = (pid: number, status: number): ProcessExit => {
  const signal = status & 0x7f;
  return signal === 0
    ? { pid, code: (status >> 8) & 0xff, signal: undefined }
    : { pid, code: undefined, signal: signalNames.get(signal) };
};

/** Takes the status of an adopted child; `undefined` when it runs, or is not ours to wait for. */
export const reap = (pid: number): ProcessExit | undefined => {
  if (ownedByNode.has(pid)) return undefined;
  const ended = waitpid(pid);
  return ended === undefined ? undefined : exitOf(ended.pid, ended.status);
};

/** Children of ours that Node does not know: adopted orphans and what they became. */
export const adopted = (): number[] => childrenOf(process.pid).filter((pid) => !ownedByNode.has(pid));

/** Processes below a root or adopted by us which have a socket open. */
export const holdersOf = (root: number, socketInode: number): number[] =>
  [...new Set([...treeOf(root), ...adopted().flatMap(treeOf)])].filter(
    (pid) => pid !== process.pid && descriptorsOf(pid, socketInode).length > 0,
  );

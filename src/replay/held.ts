/** Which ids of a plan the kernel still holds: only those are its to use, whatever the server made of them. */

import { nodeId } from '../base/ids.js';
import { type Cache, DIRECTORY_TYPE } from '../kernel/cache.js';
import { ROOT_SYMBOL } from '../plan/plan.js';
import type { PlanState } from './plan-source.js';

const low = (value: bigint): number => Number(BigInt.asUintN(32, value));
const high = (value: bigint): number => Number(value >> 32n);

/** Symbols of nodes with lookups left and of open files. Of several that had one number, the last has it now. */
export const heldSymbols = ({ plan, bindings }: PlanState, { nodes, files }: Cache): ReadonlySet<number> => {
  const holders = new Map<string, number>();
  for (const { id, kind, node: of } of plan.symbols) {
    if (id === ROOT_SYMBOL || !bindings.isBound(id)) continue;
    const nodeid = bindings.get(kind === 'node' ? id : (of ?? ROOT_SYMBOL));
    const node = nodes.find(nodeId(nodeid));
    if (node === undefined) continue;
    const value = bindings.get(id);
    const directory = nodes.typeOf(node) === DIRECTORY_TYPE;
    const isOpen = (): boolean =>
      files.find({ low: low(value), high: high(value), node, directory }) !== undefined;
    if (kind === 'node' || isOpen()) holders.set(`${kind} ${nodeid} ${value}`, id);
  }
  return new Set(holders.values());
};

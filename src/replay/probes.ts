/** Requests that use stale ids on purpose, one for each way a kernel may go on using an old node or open file. */

import { DIRECTORY, REGULAR, SYMLINK } from '../oracle/fingerprint.js';
import type { Bindings } from '../plan/bindings.js';
import { type PlanSymbol, ROOT_SYMBOL } from '../plan/plan.js';
import { encodeRequest, type RequestDraft } from '../protocol/encode.js';
import type { Negotiated } from '../protocol/negotiated.js';
import type { OperationName } from '../protocol/operations.js';

const FATTR_SIZE = 8;
const READ_SIZE = 4096;
/** What a WRITE with a stale handle writes; found again by reading the store. */
export const PROBE_DATA = Buffer.from('relight-stale-write');

type Draft<N extends OperationName> = NonNullable<Extract<RequestDraft<N>, { name: N }>['fields']>;

/** A way to use an old id. */
export interface ProbeKind {
  readonly op: OperationName;
  readonly on: 'node' | 'handle';
  /** Type of node that it is for; `undefined` for any. */
  readonly type: number | undefined;
  /** `changes`: a good reply means that something was changed; `releases`: it ends a handle or a count. */
  readonly does: 'reads' | 'releases' | 'changes';
  /** Body fields; `fh` is the stale handle, 0 for probes on nodes. */
  readonly fields: (fh: bigint) => object;
}

const probe = <N extends OperationName>(
  op: N,
  row: Omit<ProbeKind, 'op' | 'fields'> & { readonly fields?: (fh: bigint) => Draft<N> },
): ProbeKind => ({ ...row, op, fields: row.fields ?? (() => ({})) });

/**
 * All of them, in an order in which a kernel can use one id for each: what lets go of an id comes last. GETATTR is the last
 * that reads, since a kernel that learns of another type by it makes the node bad and sends nothing more for it.
 */
export const probeKinds: readonly ProbeKind[] = [
  probe('READ', {
    on: 'handle',
    type: REGULAR,
    does: 'reads',
    fields: (fh) => ({ fh, offset: 0n, size: READ_SIZE }),
  }),
  probe('READDIR', {
    on: 'handle',
    type: DIRECTORY,
    does: 'reads',
    fields: (fh) => ({ fh, offset: 0n, size: READ_SIZE }),
  }),
  probe('READLINK', { on: 'node', type: SYMLINK, does: 'reads' }),
  probe('OPENDIR', { on: 'node', type: DIRECTORY, does: 'reads' }),
  probe('OPEN', { on: 'node', type: REGULAR, does: 'reads' }),
  probe('GETATTR', { on: 'node', type: undefined, does: 'reads' }),
  probe('SETATTR', {
    on: 'node',
    type: REGULAR,
    does: 'changes',
    fields: () => ({ valid: FATTR_SIZE, size: 0n }),
  }),
  probe('WRITE', {
    on: 'handle',
    type: REGULAR,
    does: 'changes',
    fields: (fh) => ({ fh, offset: 0n, size: PROBE_DATA.length, data: PROBE_DATA }),
  }),
  probe('FLUSH', { on: 'handle', type: REGULAR, does: 'releases', fields: (fh) => ({ fh }) }),
  probe('RELEASE', { on: 'handle', type: REGULAR, does: 'releases', fields: (fh) => ({ fh }) }),
  probe('RELEASEDIR', { on: 'handle', type: DIRECTORY, does: 'releases', fields: (fh) => ({ fh }) }),
  probe('FORGET', { on: 'node', type: undefined, does: 'releases', fields: () => ({ nlookup: 1n }) }),
];

/** A probe that can be sent. */
export interface ReadyProbe {
  readonly kind: ProbeKind;
  /** The stale symbol, and the node that the request is about. */
  readonly symbol: PlanSymbol;
  readonly node: PlanSymbol;
  readonly request: Uint8Array;
}

/** The request of a probe, with the numbers that the symbols are bound to. */
export const makeProbe = (
  kind: ProbeKind,
  { symbol, node }: { readonly symbol: PlanSymbol; readonly node: PlanSymbol },
  { bindings, negotiated }: { readonly bindings: Bindings; readonly negotiated: Negotiated },
): ReadyProbe => {
  const fh = symbol.kind === 'handle' ? bindings.get(symbol.id) : 0n;
  const draft = {
    name: kind.op,
    header: { unique: 0n, nodeid: bindings.get(node.id) },
    fields: kind.fields(fh) as Draft<OperationName>,
  } as RequestDraft;
  return { kind, symbol, node, request: encodeRequest(draft, negotiated) };
};

/** Whether a probe makes sense for a symbol: of the kind it is for, on a node of its type. */
export const fits = (kind: ProbeKind, symbol: PlanSymbol, node: PlanSymbol): boolean => {
  // No reply needs to tell what the root is.
  const type = node.id === ROOT_SYMBOL ? DIRECTORY : node.type;
  return kind.on === symbol.kind && (kind.type === undefined || kind.type === type);
};

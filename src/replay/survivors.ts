/**
 * Whether a node that a strategy keeps over a restart is another object in truth: what the new server told of it, against
 * what the run knows of the one that had its id. It keeps no node and sends nothing.
 */

import type { NodeId } from '../base/ids.js';
import { fingerprintOf } from '../oracle/fingerprint.js';
import { ROOT_SYMBOL } from '../plan/plan.js';
import { decodeReply, decodeRequest } from '../protocol/decode.js';
import { encodeRequest } from '../protocol/encode.js';
import type { AftermathParts } from './aftermath.js';

/** The survivors of each restart of one replay. */
export class Survivors {
  readonly #parts: Pick<AftermathParts, 'options' | 'state' | 'driver' | 'judging'>;
  /** Symbols by the nodeids that they had when this incarnation came. */
  #old: { readonly incarnation: number; readonly symbols: ReadonlyMap<bigint, number> } | undefined;

  constructor(parts: Pick<AftermathParts, 'options' | 'state' | 'driver' | 'judging'>) {
    this.#parts = parts;
  }

  /** Whether the reply to the strategy's question about an old node is about another object; false when nobody can tell. */
  isAnother(nodeid: NodeId, reply: Uint8Array): boolean {
    const { driver, judging } = this.#parts;
    const symbol = this.#symbols().get(nodeid);
    if (symbol === undefined) return false;
    const { negotiated } = driver.kernel;
    const request = decodeRequest(this.#question(nodeid), negotiated);
    if (request.kind !== 'request') return false;
    const answer = decodeReply(reply, request, negotiated);
    if (answer.kind !== 'reply') return false;
    const { kind } = judging.identities.identify(fingerprintOf(request, answer), symbol);
    return kind === 'other' || kind === 'stranger';
  }

  /** What a strategy asks by: only the form of the reply depends on it. */
  #question(nodeid: NodeId): Uint8Array {
    const { options, driver } = this.#parts;
    const header = { unique: 0n, nodeid };
    const { negotiated } = driver.kernel;
    return options.strategy.recognisedBy === 'nodeid'
      ? encodeRequest({ name: 'GETATTR', header }, negotiated)
      : encodeRequest({ name: 'LOOKUP', header, fields: { name: 'any' } }, negotiated);
  }

  #symbols(): ReadonlyMap<bigint, number> {
    const { incarnation, plan, bindings, mintedIn } = this.#parts.state;
    if (this.#old?.incarnation === incarnation) return this.#old.symbols;
    const symbols = new Map<bigint, number>();
    for (const { id, kind } of plan.symbols)
      if (kind === 'node' && id !== ROOT_SYMBOL && bindings.isBound(id) && mintedIn[id] !== incarnation)
        symbols.set(bindings.get(id), id);
    this.#old = { incarnation, symbols };
    return symbols;
  }
}

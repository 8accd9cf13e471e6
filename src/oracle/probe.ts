/** A request that used stale ids, and what came of it: the material of a verdict. */

import type { Refusal } from '../kernel/refusal.js';
import { decodeReply, decodeRequest } from '../protocol/decode.js';
import { opcodeOf } from '../protocol/header.js';
import type { Negotiated } from '../protocol/negotiated.js';
import { type Operation, operationOf } from '../protocol/operations.js';
import { decodeErrorText, replyText, requestText } from '../protocol/print.js';
import type { ServerExit } from './exit.js';
import type { MappedRange } from './id-kind.js';
import type { Identities } from './identity.js';
import { mappingText } from './leak.js';
import type { ObjectKey } from './seen.js';
import type { Judgement, StaleKind } from './verdict.js';

/** An id of an earlier incarnation, or one that was released, in a request. */
export interface StaleId {
  readonly kind: 'node' | 'handle';
  /** Symbol in the plan. */
  readonly symbol: number;
  /** The number that was sent. */
  readonly value: bigint;
  /** Incarnation that handed it out. */
  readonly minted: number;
  /** What it named then, as people call it. */
  readonly was: string;
  /** Writable memory of that incarnation that it lies in: then it is a pointer, whatever happens at run time. */
  readonly pointsInto?: MappedRange | undefined;
}

/** A request as it was sent, and which of its ids were stale. */
export interface Probe {
  readonly request: Uint8Array;
  readonly stale: readonly StaleId[];
  /**
   * Object that a good reply should tell about: that of the header, or the one that the reply gives when it gives one.
   * Absent when the run knows no such object.
   */
  readonly subject: ObjectKey | undefined;
  /** The reply to the same request when its ids were good. */
  readonly recorded: Uint8Array | undefined;
}

/** What came of a request. */
export type Outcome =
  | { readonly kind: 'reply'; readonly bytes: Uint8Array; readonly refusal?: Refusal | undefined }
  /** No reply is due (FORGET), and the server lives. */
  | { readonly kind: 'swallowed' }
  /** A reply is due and does not come. `later` counts requests sent after it. */
  | {
      readonly kind: 'silence';
      readonly waitedMs: number;
      readonly later: { readonly answered: number; readonly unanswered: number };
    }
  /** `among`: requests that were in flight then, when there were others; `isFirst` of the one that was sent first. */
  | {
      readonly kind: 'ended';
      readonly exit: ServerExit;
      readonly among?: { readonly inFlight: number; readonly isFirst: boolean } | undefined;
    }
  /** The strategy or the kernel kept it back. */
  | { readonly kind: 'withheld'; readonly by: string };

/** What a judge knows besides. */
export interface Scene {
  readonly identities: Identities;
  readonly negotiated: Negotiated;
  /** Memory of the incarnation that answered; empty when nobody looked. */
  readonly maps: readonly MappedRange[];
}

/** Row of a probe's operation. */
export const operationIn = ({ request }: Probe): Operation | undefined => operationOf(opcodeOf(request));

/** Which kinds of id were stale. */
export const staleKind = ({ stale }: Probe): StaleKind => {
  const node = stale.some(({ kind }) => kind === 'node');
  const handle = stale.some(({ kind }) => kind === 'handle');
  if (node && handle) return 'node+handle';
  if (node) return 'node';
  return handle ? 'handle' : 'none';
};

const number = (value: bigint): string => (value >= 1n << 32n ? `0x${value.toString(16)}` : value.toString());

const staleText = ({ kind, value, minted, was, pointsInto }: StaleId): string => {
  const memory = pointsInto === undefined ? '' : `, where it is an address in ${mappingText(pointsInto)}`;
  return `stale ${kind} ${number(value)} was ${was} in incarnation ${minted}${memory}`;
};

/** The request on one line, then each stale id. */
export const probeEvidence = (probe: Probe, negotiated: Negotiated): string[] => {
  const decoded = decodeRequest(probe.request, negotiated, { cut: true });
  const line = decoded.kind === 'request' ? requestText(decoded) : decodeErrorText(decoded);
  return [`sent ${line}`, ...probe.stale.map(staleText)];
};

/** The reply on one line. */
export const replyEvidence = (bytes: Uint8Array, probe: Probe, negotiated: Negotiated): string => {
  const request = decodeRequest(probe.request, negotiated, { cut: true });
  const context = request.kind === 'request' ? request : undefined;
  const reply = decodeReply(bytes, context, negotiated, { cut: true });
  return `got ${reply.kind === 'reply' ? replyText(reply) : decodeErrorText(reply)}`;
};

/** What a judgement is besides who it is about. */
export type Finding = Pick<Judgement, 'verdict'> &
  Partial<Pick<Judgement, 'signature' | 'followUps'>> & { readonly evidence: readonly string[] };

/** A judgement about a probe; without a signature of its own it is known by operation, kind of id and verdict. */
export const judgementOf = (probe: Probe, scene: Pick<Scene, 'negotiated'>, finding: Finding): Judgement => {
  const op = operationIn(probe)?.name ?? `opcode ${opcodeOf(probe.request)}`;
  const idKind = staleKind(probe);
  return {
    verdict: finding.verdict,
    op,
    idKind,
    symbol: probe.stale[0]?.symbol,
    signature: finding.signature ?? `${finding.verdict} ${op} ${idKind}`,
    evidence: [...probeEvidence(probe, scene.negotiated), ...finding.evidence],
    followUps: finding.followUps ?? [],
  };
};

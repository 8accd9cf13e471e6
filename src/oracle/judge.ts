/**
 * What a server did with one request that used stale ids, from the outcome alone. What the outcome cannot tell (effects on
 * objects, ids that broke) is asked for as a follow-up and judged in `effects.ts` and `live-ids.ts`.
 */

import { Errno, errnoName } from '../base/errno.js';
import type { Refusal } from '../kernel/refusal.js';
import { bytesOf } from '../protocol/byte-string.js';
import { type DecodedRequest, decodeReply, decodeRequest } from '../protocol/decode.js';
import { errorOf } from '../protocol/header.js';
import type { Operation } from '../protocol/operations.js';
import { unaffected } from './change.js';
import { exitMeaning, type ServerExit } from './exit.js';
import { fingerprintOf } from './fingerprint.js';
import type { Identification } from './identity.js';
import { addressesIn, addressText } from './leak.js';
import {
  type Finding,
  judgementOf,
  type Outcome,
  operationIn,
  type Probe,
  replyEvidence,
  type Scene,
} from './probe.js';
import type { FollowUp, Judgement, Verdict } from './verdict.js';

/** Errors by which a server says that it does not know an id, or will not touch it. */
const rejections: readonly number[] = [
  Errno.ESTALE,
  Errno.ENOENT,
  Errno.EBADF,
  Errno.EINVAL,
  Errno.EIO,
  Errno.ENXIO,
  Errno.ENODEV,
  Errno.EPERM,
  Errno.EACCES,
  Errno.EFAULT,
  Errno.EBADFD,
  Errno.ENOTCONN,
  Errno.ECONNABORTED,
  Errno.EREMOTEIO,
  Errno.EUCLEAN,
];

/**
 * What has to be looked at after a good reply, or none at all, by what the operation does. `known`: which object it was about,
 * or all that attributes could tell of it.
 */
const followUpsOf = (op: Operation | undefined, known: boolean): FollowUp[] => {
  if (op === undefined) return ['effects', 'liveIds'];
  const changes = ['data', 'name', 'attr', 'xattr', 'unknown'].includes(op.effect);
  const releases = op.ids.some(({ act, side }) => act === 'release' && side === 'request');
  return [
    ...(known || changes || releases ? [] : (['identify'] as const)),
    ...(changes ? (['effects'] as const) : []),
    ...(releases ? (['liveIds'] as const) : []),
  ];
};

/** Whether what an operation did by stale ids shows only on objects and ids that are not its own. */
export const needsWitness = (op: Operation | undefined): boolean => followUpsOf(op, true).length > 0;

const byIdentity: Readonly<Record<Identification['kind'], Verdict>> = {
  same: 'recovered',
  other: 'wrong-object',
  stranger: 'wrong-object',
  twins: 'unknown',
  unclear: 'unknown',
};

/** On a change these may be about permissions, which are nobody's id. */
const permissions: readonly number[] = [Errno.EPERM, Errno.EACCES];

/** Whether a request of the operation is to change objects. */
export const changesSomething = (op: Operation | undefined): boolean =>
  ['data', 'name', 'attr', 'xattr'].includes(op?.effect ?? 'none');

const isRejection = (probe: Probe, errno: number): boolean =>
  rejections.includes(errno) && !(permissions.includes(errno) && changesSomething(operationIn(probe)));

const ofError = (probe: Probe, error: number): Finding => {
  const name = errnoName(error);
  const recorded = probe.recorded === undefined ? undefined : errorOf(probe.recorded);
  const same = recorded === error ? [`the recording has ${name} too`] : [];
  if (isRejection(probe, -error)) return { verdict: 'rejected', evidence: same };
  const why = same.length > 0 ? same : [`${name} does not say that the id is not known`];
  return { verdict: 'unknown', evidence: why };
};

const ofRefusal = ({ reason, where, by, errno }: Refusal): Finding => {
  const who = by === 'device' ? 'its write fails' : 'the application sees that';
  return {
    verdict: 'malformed',
    evidence: [`the kernel refuses the reply in ${where} (${reason}): ${who} with ${errnoName(errno)}`],
  };
};

/** A kernel that finds another type of file notices the wrong object; it is the server that gave it. */
const isMalformed = (refusal: Refusal | undefined): refusal is Refusal =>
  refusal !== undefined && refusal.by !== 'nobody' && refusal.reason !== 'type';

const leaked = (bytes: Uint8Array, scene: Scene, request: DecodedRequest): string[] => {
  const reply = decodeReply(bytes, request, scene.negotiated);
  if (reply.kind !== 'reply') return [];
  const { data, xattr, scalars } = fingerprintOf(request, reply);
  const text = typeof scalars.target === 'string' ? bytesOf(scalars.target) : undefined;
  const body = data?.bytes ?? xattr?.value ?? text;
  return body === undefined ? [] : addressText(addressesIn(body, scene.maps));
};

const zeroes = (probe: Probe, { data }: ReturnType<typeof fingerprintOf>, scene: Scene): string[] => {
  const facts = probe.subject === undefined ? undefined : scene.identities.factsOf(probe.subject);
  if (data === undefined || data.bytes.length === 0 || data.bytes.some((byte) => byte !== 0)) return [];
  const { differsAt } = facts?.content.match(Number(data.offset), data.bytes) ?? {};
  return differsAt === undefined
    ? []
    : [`${data.bytes.length} zeroes, which no object is known to hold there`];
};

const ofGoodReply = (probe: Probe, bytes: Uint8Array, scene: Scene): Finding => {
  const { identities, negotiated } = scene;
  const request = decodeRequest(probe.request, negotiated);
  if (request.kind !== 'request')
    return { verdict: 'unknown', evidence: ['a good reply to what is no such request'] };
  const reply = decodeReply(bytes, request, negotiated);
  if (reply.kind !== 'reply') return { verdict: 'malformed', evidence: ['the reply does not decode'] };
  // A negative entry says ENOENT, and for how long.
  if ('nodeid' in reply.fields && reply.fields.nodeid === 0n) return ofError(probe, -Errno.ENOENT);
  const told = unaffected(fingerprintOf(request, reply), request);
  // Any node of a file system gives the same figures.
  if ('st' in reply.fields) return { verdict: 'recovered', evidence: ['figures of the whole file system'] };
  const found = identities.identify(told, probe.subject);
  const { kind, evidence } = found;
  const isKnown = byIdentity[kind] !== 'unknown' || told.scalars.type !== undefined;
  const followUps = followUpsOf(request.op, isKnown);
  if (kind === 'same' || kind === 'twins') return { verdict: byIdentity[kind], evidence, followUps };
  const memory = leaked(bytes, scene, request);
  const empty = kind === 'stranger' ? zeroes(probe, told, scene) : [];
  if (memory.length > 0 || empty.length > 0)
    return {
      verdict: 'leak',
      evidence: [...evidence, ...memory, ...empty],
      followUps: followUpsOf(request.op, true),
    };
  return { verdict: byIdentity[kind], evidence, followUps };
};

/** Judges a reply. A good one that tells too little is `unknown`, with what could tell as follow-ups. */
export const judgeReply = (
  probe: Probe,
  { bytes, refusal }: Extract<Outcome, { kind: 'reply' }>,
  scene: Scene,
): Judgement => {
  const line = replyEvidence(bytes, probe, scene.negotiated);
  const finding = isMalformed(refusal)
    ? ofRefusal(refusal)
    : errorOf(bytes) !== 0
      ? ofError(probe, errorOf(bytes))
      : ofGoodReply(probe, bytes, scene);
  return judgementOf(probe, scene, { ...finding, evidence: [line, ...finding.evidence] });
};

/** Judges that the server ended although nobody asked it to. */
const judgeExit = (probe: Probe, exit: ServerExit, scene: Pick<Scene, 'negotiated'>): Judgement => {
  const { verdict, signature, evidence } = exitMeaning(exit);
  const op = operationIn(probe)?.name ?? 'unknown opcode';
  return judgementOf(probe, scene, { verdict, signature: `${op} ${signature}`, evidence });
};

/**
 * Judges a request that was not the only one in flight when the server ended: the first may be blamed where no more can be
 * found out (`isFirst`), of any other nobody knows whether the server had read it.
 */
const judgeShared = (
  probe: Probe,
  { exit, among }: Extract<Outcome, { kind: 'ended' }>,
  scene: Pick<Scene, 'negotiated'>,
): Judgement => {
  const judgement = judgeExit(probe, exit, scene);
  if (among === undefined) return judgement;
  const shared = `one of ${among.inFlight} requests that were in flight then`;
  if (among.isFirst)
    return { ...judgement, evidence: [...judgement.evidence, `${shared}, the first that was sent`] };
  return {
    ...judgement,
    verdict: 'unknown',
    signature: `unknown ${judgement.op} ${judgement.idKind}`,
    evidence: [...judgement.evidence, shared],
  };
};

/** Judges that a reply that is due does not come. A lock may be waited for; nothing else may. */
export const judgeHang = (
  probe: Probe,
  { waitedMs, later }: Pick<Extract<Outcome, { kind: 'silence' }>, 'waitedMs' | 'later'>,
  scene: Pick<Scene, 'negotiated'>,
): Judgement => {
  const waited = `no reply within ${waitedMs} ms`;
  if (operationIn(probe)?.name === 'SETLKW')
    return judgementOf(probe, scene, {
      verdict: 'unknown',
      evidence: [`${waited}: a lock may be waited for`],
    });
  const whole = later.answered === 0 && later.unanswered > 0;
  const others = whole
    ? `none of ${later.unanswered} later requests was answered: the whole server hangs`
    : `${later.answered} later requests were answered, ${later.unanswered} not`;
  return judgementOf(probe, scene, { verdict: 'hang', evidence: [waited, others] });
};

/** Judges any outcome. */
export const judge = (probe: Probe, outcome: Outcome, scene: Scene): Judgement => {
  if (outcome.kind === 'reply') return judgeReply(probe, outcome, scene);
  if (outcome.kind === 'ended') return judgeShared(probe, outcome, scene);
  if (outcome.kind === 'silence') return judgeHang(probe, outcome, scene);
  if (outcome.kind === 'withheld')
    return judgementOf(probe, scene, { verdict: 'not-sent', evidence: [`kept back by ${outcome.by}`] });
  const followUps = followUpsOf(operationIn(probe), false);
  return judgementOf(probe, scene, { verdict: 'unknown', evidence: ['no reply is due'], followUps });
};

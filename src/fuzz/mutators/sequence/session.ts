/** Requests that come at a time when they have no place: INTERRUPT for what is not under way, INIT again, opcodes of the future. */

import { encodeRequest } from '../../../protocol/encode.js';
import type { Negotiated } from '../../../protocol/negotiated.js';
import type { IdUse } from '../../../protocol/operation.js';
import { type Operation, operationNamed, operationOf, operations } from '../../../protocol/operations.js';
import { aimed } from '../../aim.js';
import type { CaseRequest } from '../../case.js';
import { plainRequest } from '../../companions.js';
import { finding } from '../../lifecycle.js';
import type { Mutator } from '../../mutator.js';
import { madeSeed, placesIn } from '../../seed.js';
import { withNumberAt } from '../editing.js';

const family = 'sequence';
const OPCODE = { offset: 4, size: 4 };

/** The use of a unique in a body: only INTERRUPT has one. */
const interrupts = ({ kind, part, side }: IdUse): boolean =>
  kind === 'unique' && part === 'body' && side === 'request';
const interrupting: Operation | undefined = operations.find(({ ids }) => ids.some(interrupts));

/** An INTERRUPT of the request of the same case with that index. */
const interruptOf = (index: number, session: Negotiated): CaseRequest[] => {
  if (interrupting === undefined) return [];
  const { bytes } = madeSeed(interrupting, {}, session);
  return placesIn(interrupting, bytes, session)
    .filter(({ use }) => interrupts(use))
    .map(({ use, offset }) => ({
      op: interrupting,
      bytes,
      patches: [{ kind: 'step', offset, use, step: index }],
      resent: false,
    }));
};

/** Opcodes without a row: gaps, the next ones, far ones. */
const strange: readonly number[] = [0, 7, 19, 54, 55, 63, 64, 101, 4095, 0x7fff_ffff, 0xffff_ffff].filter(
  (opcode) => operationOf(opcode) === undefined,
);

/** INIT as it was negotiated. */
const initRequest = (session: Negotiated): CaseRequest => {
  const { minor, maxReadahead, flags } = session;
  const words = { flags: Number(flags & 0xffff_ffffn), flags2: Number(flags >> 32n) };
  const fields = { major: 7, minor, maxReadahead, ...words };
  const bytes = encodeRequest({ name: 'INIT', header: { unique: 0n }, fields }, session);
  return { op: operationNamed('INIT'), bytes, patches: [], resent: false };
};

/** Mutators of order and place. */
export const misplaced: readonly Mutator[] = [
  {
    name: 'sequence.interrupted',
    family,
    weight: 2,
    why: 'an application that waits for a request of the time of the restart is killed',
    sendable: true,
    make: (seed, cast, rng) => {
      const aim = seed.op.replyRule === 'always' ? aimed(seed, { cast, rng }) : undefined;
      if (aim === undefined) return undefined;
      const { relation, meant, patches } = aim;
      const requests = [plainRequest(seed, patches), ...interruptOf(0, cast.negotiated)];
      return { mutator: 'sequence.interrupted', relation, op: seed.op.name, requests, wrong: 0, meant };
    },
  },
  {
    name: 'sequence.interrupt-unknown',
    family,
    weight: 2,
    why: 'the request that an INTERRUPT is about went to the server before, or was answered meanwhile',
    sendable: true,
    make: ({ op, bytes }, { negotiated }, rng) => {
      const place = placesIn(op, bytes, negotiated).find(({ use }) => interrupts(use));
      if (place === undefined) return undefined;
      const value = rng.pick([0n, 1n, 2n, 0xffff_fffen, 1n << 62n, (1n << 64n) - 2n]) ?? 0n;
      const frame = withNumberAt(bytes, { offset: place.offset, size: 8 }, value);
      const requests = [{ op, bytes: frame, patches: [], resent: false }];
      const mutator = 'sequence.interrupt-unknown';
      return { mutator, relation: 'constant', op: op.name, requests, wrong: 0, meant: [] };
    },
  },
  {
    name: 'sequence.second-init',
    family,
    weight: 1,
    why: 'proposals for restarts send INIT again on a connection that is in use',
    sendable: false,
    make: (seed, cast, rng) => {
      const aim = seed.op === finding ? aimed(seed, { cast, rng }) : undefined;
      if (aim === undefined) return undefined;
      const requests = [initRequest(cast.negotiated), plainRequest(seed, aim.patches)];
      const { meant } = aim;
      return { mutator: 'sequence.second-init', relation: 'good', op: 'INIT', requests, wrong: 0, meant };
    },
  },
  {
    name: 'sequence.unknown-opcode',
    family,
    weight: 1,
    why: 'a newer kernel sends operations that the server has never heard of',
    sendable: true,
    make: (seed, cast, rng) => {
      const aim = seed.op === finding ? aimed(seed, { cast, rng }) : undefined;
      if (aim === undefined) return undefined;
      const opcode = rng.pick(strange) ?? 0;
      const bytes = withNumberAt(seed.bytes, OPCODE, BigInt(opcode));
      const { meant, patches, relation } = aim;
      const requests = [{ op: undefined, bytes, patches, resent: false }];
      return {
        mutator: 'sequence.unknown-opcode',
        relation,
        op: `opcode ${opcode}`,
        requests,
        wrong: 0,
        meant,
      };
    },
  },
];

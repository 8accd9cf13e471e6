/** Arbitrary plans made by hand: two lives, ids of any kind in any place, shifts, repeats, lying lengths. */

import fc from 'fast-check';
import { Composer } from '#relight/plan/compose.js';
import { memoryPlaces, type Patch, type Plan } from '#relight/plan/plan.js';
import { encodeRequest } from '#relight/protocol/encode.js';
import { idSites, requestIdMap } from '#relight/protocol/id-sites.js';
import type { Fields } from '#relight/protocol/layout.js';
import type { Negotiated } from '#relight/protocol/negotiated.js';
import { operations } from '#relight/protocol/operations.js';
import { requestOf, sessions } from '../protocol/arbitrary.js';
import { mintsByField } from './by-field.js';

const shift = fc.record({
  add: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  flip: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
});

const draftOf = (session: Negotiated) =>
  fc.constantFrom(...operations.filter(({ name }) => name !== 'INIT' && name !== 'CUSE_INIT')).chain((op) =>
    fc.record({
      op: fc.constant(op),
      fields: requestOf(op, session),
      /** Which symbol each id is, whether it is one at all, and what is made of it. */
      ids: fc.array(fc.record({ symbol: fc.nat(), shift: fc.option(shift, { nil: undefined }) }), {
        maxLength: 3,
      }),
      mints: fc.nat(),
      incarnation: fc.nat({ max: 1 }),
      resent: fc.boolean(),
      repeats: fc.option(fc.nat(), { nil: undefined, freq: 4 }),
      /** Bytes that the header's length is off. */
      lie: fc.constantFrom(0, 0, 0, 1, -1, 4096),
      missing: fc.constantFrom(0, 0, 0, 1, 7, 30),
    }),
  );

type Draft = ReturnType<typeof draftOf> extends fc.Arbitrary<infer T> ? T : never;

const bytesOf = ({ op, fields, lie, missing }: Draft, session: Negotiated): Uint8Array => {
  const whole = encodeRequest(
    { name: op.name, header: { unique: 0n, nodeid: 77n }, fields: fields as Fields },
    session,
  );
  const bytes = whole.slice(0, Math.max(40, whole.length - missing));
  const view = new DataView(bytes.buffer);
  if (missing === 0 || lie !== 0) view.setUint32(0, Math.max(0, bytes.length + lie), true);
  return bytes;
};

const composed = (session: Negotiated, drafts: readonly Draft[]): Plan => {
  const composer = new Composer({ negotiated: session, init: undefined, initReply: undefined });
  const nodes = ['/a', '/dir', '/dir/b'].map((path, at) =>
    composer.symbol({
      kind: 'node',
      recorded: BigInt(at + 100),
      path,
      type: 0o100000,
      generation: BigInt(at),
    }),
  );
  const handles = nodes.map((node, at) =>
    composer.symbol({ kind: 'handle', node, recorded: BigInt(at) + 3n }),
  );
  const spots = memoryPlaces.map((place, at) => composer.memory({ place, incarnation: at % 2 }));
  const all = [0, ...nodes, ...handles, ...spots];
  const pick = (of: readonly number[], n: number): number => of[n % of.length] ?? 0;
  for (const [index, draft] of drafts.entries()) {
    const bytes = bytesOf(draft, session);
    const sites = idSites(requestIdMap(draft.op, session), bytes).filter(
      ({ use }) => use.kind === 'node' || use.kind === 'handle',
    );
    const patches = sites.flatMap(({ use, offset }, at): Patch[] => {
      const id = draft.ids[at];
      if (id === undefined) return [];
      const patch = { kind: 'symbol', offset, use, symbol: pick(all, id.symbol) } as const;
      return [id.shift === undefined ? patch : { ...patch, shift: id.shift }];
    });
    const { op, incarnation, resent, repeats } = draft;
    const mints = mintsByField(op, { nodeid: pick(nodes, draft.mints), fh: pick(handles, draft.mints) });
    const target = index === 0 || repeats === undefined ? {} : { repeats: repeats % index };
    composer.step({ incarnation, bytes, patches, mints, resent, ...target });
  }
  return composer.plan();
};

/** A plan of up to 25 steps under any session. */
export const composedPlan: fc.Arbitrary<Plan> = fc
  .constantFrom(...sessions)
  .chain((session) =>
    fc.array(draftOf(session), { maxLength: 25 }).map((drafts) => composed(session, drafts)),
  );

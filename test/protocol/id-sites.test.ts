import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeReply, decodeRequest } from '#relight/protocol/decode.js';
import { encodeNotification, encodeReply, encodeRequest } from '#relight/protocol/encode.js';
import { valueAt } from '#relight/protocol/fields.js';
import { idSites, notificationIdMap, replyIdMap, requestIdMap } from '#relight/protocol/id-sites.js';
import type { Fields, Value } from '#relight/protocol/layout.js';
import { newestNegotiated } from '#relight/protocol/negotiated.js';
import { notificationNamed } from '#relight/protocol/notifications.js';
import type { IdUse } from '#relight/protocol/operation.js';
import { type OperationName, operationNamed, operations } from '#relight/protocol/operations.js';
import { holds } from '#relight/protocol/parts.js';
import { putU64At } from '#relight/protocol/raw.js';
import { bodyOf, requestOf, sessions } from './arbitrary.js';

const inRequest = (name: OperationName, nodeid: bigint, fields: Fields) => {
  const bytes = encodeRequest({ name, header: { unique: 2n, nodeid }, fields }, newestNegotiated);
  return idSites(requestIdMap(operationNamed(name), newestNegotiated), bytes).map(brief);
};
const inReply = (name: OperationName, fields: Fields, error = 0) => {
  const context = { op: operationNamed(name), fields: {} };
  const bytes = encodeReply({ name, header: { unique: 2n, error }, fields }, context, newestNegotiated);
  return idSites(replyIdMap(operationNamed(name), newestNegotiated), bytes).map(brief);
};
const brief = ({ use, offset, value }: ReturnType<typeof idSites>[number]) =>
  `${use.act} ${use.kind} ${value} @${offset}`;

describe('ids in requests', () => {
  it('are the node in the header and what the body names', () => {
    expect(inRequest('READ', 5n, { fh: 9n, readFlags: 2, lockOwner: 77n })).toEqual([
      'use node 5 @16',
      'use handle 9 @40',
      'use owner 77 @64',
    ]);
    expect(inRequest('READ', 5n, { fh: 9n, lockOwner: 77n })).toEqual(['use node 5 @16', 'use handle 9 @40']);
    expect(inRequest('RENAME2', 5n, { newdir: 6n, oldname: 'a', newname: 'b' })).toEqual([
      'use node 5 @16',
      'use node 6 @40',
    ]);
    expect(inRequest('COPY_FILE_RANGE', 5n, { fhIn: 1n, nodeidOut: 2n, fhOut: 3n })).toEqual([
      'use node 5 @16',
      'use handle 1 @40',
      'use node 2 @56',
      'use handle 3 @64',
    ]);
  });

  it('count only when their flag is set', () => {
    expect(inRequest('GETATTR', 5n, { fh: 9n })).toEqual(['use node 5 @16']);
    expect(inRequest('GETATTR', 5n, { getattrFlags: 1, fh: 9n })).toEqual([
      'use node 5 @16',
      'use handle 9 @48',
    ]);
    expect(inRequest('SETUPMAPPING', 5n, { fh: 0xffff_ffff_ffff_ffffn })).toEqual(['use node 5 @16']);
  });

  it('are released with their counts', () => {
    const items = [
      { nodeid: 7n, nlookup: 3n },
      { nodeid: 8n, nlookup: 1n },
    ];
    const bytes = encodeRequest(
      { name: 'BATCH_FORGET', header: { unique: 2n }, fields: { items } },
      newestNegotiated,
    );
    const sites = idSites(requestIdMap(operationNamed('BATCH_FORGET'), newestNegotiated), bytes);
    expect(sites.map(({ value, count }) => ({ nodeid: value, nlookup: count }))).toEqual(items);
    const forget = encodeRequest(
      { name: 'FORGET', header: { unique: 2n, nodeid: 7n }, fields: { nlookup: 4n } },
      newestNegotiated,
    );
    const [site] = idSites(requestIdMap(operationNamed('FORGET'), newestNegotiated), forget);
    expect(site).toMatchObject({ offset: 16, value: 7n, count: 4n, use: { act: 'release' } });
  });

  it('include the unique that INTERRUPT is about and the one of NOTIFY_REPLY', () => {
    expect(inRequest('INTERRUPT', 0n, { unique: 12n })).toEqual(['use unique 12 @40']);
    expect(inRequest('NOTIFY_REPLY', 5n, {})).toEqual(['use node 5 @16', 'use unique 2 @8']);
  });
});

describe('ids in replies', () => {
  it('are created by entries and opens', () => {
    expect(inReply('CREATE', { nodeid: 7n, fh: 9n })).toEqual(['create node 7 @16', 'create handle 9 @144']);
    const old = { ...newestNegotiated, minor: 8 };
    const bytes = encodeReply({ name: 'CREATE', header: { unique: 2n }, fields: { fh: 9n } }, undefined, old);
    expect(idSites(replyIdMap(operationNamed('CREATE'), old), bytes).map(brief)).toEqual([
      'create handle 9 @136',
    ]);
  });

  it('are none in an error, a negative entry, and the dots of READDIRPLUS', () => {
    expect(inReply('LOOKUP', { nodeid: 7n }, -2)).toEqual([]);
    expect(inReply('LOOKUP', { nodeid: 0n })).toEqual([]);
    const entries = ['.', '..', 'a', '...', 'none'].map((name, index) => ({
      name,
      nodeid: name === 'none' ? 0n : BigInt(index + 10),
      off: BigInt(index + 1),
    }));
    expect(inReply('READDIRPLUS', { entries }).filter((site) => site.includes('node'))).toEqual([
      'create node 12 @336',
      'create node 13 @496',
    ]);
  });
});

it('ids in notifications', () => {
  const bytes = encodeNotification({ name: 'PRUNE', fields: { nodes: [{ nodeid: 3n }, { nodeid: 4n }] } });
  const sites = idSites(notificationIdMap(notificationNamed('PRUNE'), newestNegotiated), bytes);
  expect(sites.map(brief)).toEqual(['use node 3 @32', 'use node 4 @40']);
});

describe('raw and decoded ids agree', () => {
  const named = (item: Fields, { exceptNames = [] }: IdUse): boolean =>
    exceptNames.includes(String(item.name));
  const expected = (uses: readonly IdUse[], header: Fields, fields: Fields): Value[] =>
    uses.flatMap((use) => {
      const owners = use.part === 'header' ? [header] : use.each ? (fields[use.each] as Fields[]) : [fields];
      return owners
        .filter((owner) => !named(owner, use))
        .filter((owner) => !use.when || holds(use.when, Number(owner[use.when.field])))
        .map((owner) => valueAt(owner, use.field))
        .filter((value) => value !== undefined && value !== use.none);
    });
  const sorted = (values: readonly Value[]): Value[] =>
    [...values].sort((a, b) => (String(a) < String(b) ? -1 : 1));
  const session = fc.constantFrom(...sessions);

  it.each(operations)('in $name, under every session', (op) => {
    const messages = session.chain((negotiated) =>
      requestOf(op, negotiated).chain((fields) =>
        fc.record({
          negotiated: fc.constant(negotiated),
          fields: fc.constant(fields),
          reply: bodyOf(op.reply ?? [], negotiated, fields),
        }),
      ),
    );
    fc.assert(
      fc.property(messages, ({ negotiated, fields, reply }) => {
        const header = { unique: 4n, nodeid: 5n };
        const request = encodeRequest({ name: op.name, header, fields }, negotiated);
        const uses = op.ids.filter(({ side }) => side === 'request');
        const found = idSites(requestIdMap(op, negotiated), request).map(({ value }) => value);
        expect(sorted(found)).toEqual(sorted(expected(uses, header, fields)));
        if (op.reply === undefined) return;
        const bytes = encodeReply({ name: op.name, header, fields: reply }, { fields }, negotiated);
        const given = idSites(replyIdMap(op, negotiated), bytes).map(({ value }) => value);
        const replyUses = op.ids.filter(({ side }) => side === 'reply');
        expect(sorted(given)).toEqual(sorted(expected(replyUses, header, reply)));
      }),
      { numRuns: 25 },
    );
  });

  it('patching a site changes that id and nothing else', () => {
    const op = operationNamed('CREATE');
    const context = { op, fields: {} };
    const fields = { nodeid: 7n, generation: 1n, fh: 9n };
    const bytes = encodeReply({ name: 'CREATE', header: { unique: 2n }, fields }, context, newestNegotiated);
    const before = decodeReply(bytes, context, newestNegotiated);
    for (const { offset, value } of idSites(replyIdMap(op, newestNegotiated), bytes))
      putU64At(bytes, offset, value + 100n);
    const after = decodeReply(bytes, context, newestNegotiated);
    if (before.kind !== 'reply' || after.kind !== 'reply') throw new Error('no reply');
    expect(after.fields).toEqual({ ...before.fields, nodeid: 107n, fh: 109n });
  });

  it('never reads behind a frame that is cut', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...operations), (bytes, op) => {
        for (const map of [requestIdMap(op, newestNegotiated), replyIdMap(op, newestNegotiated)])
          for (const { offset } of idSites(map, bytes)) expect(offset + 8).toBeLessThanOrEqual(bytes.length);
        expect(decodeRequest(bytes, newestNegotiated)).toBeDefined();
      }),
    );
  });
});

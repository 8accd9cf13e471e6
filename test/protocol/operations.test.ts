import { describe, expect, it } from 'vitest';
import { fieldAt, type Struct } from '#relight/protocol/layout.js';
import { notifications } from '#relight/protocol/notifications.js';
import type { IdUse } from '#relight/protocol/operation.js';
import { operationNamed, operationOf, operations } from '#relight/protocol/operations.js';
import type { Part } from '#relight/protocol/parts.js';
import { prefixOf } from '#relight/protocol/prefix.js';
import { inHeader } from '#relight/protocol/structs.js';

describe('operation table', () => {
  it('has every operation and notification of FUSE 7.45', () => {
    expect(operations.length).toBe(52);
    expect(notifications.map(({ code }) => code)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('finds rows by opcode and by name', () => {
    for (const operation of operations) {
      expect(operationOf(operation.opcode)).toBe(operation);
      expect(operationNamed(operation.name)).toBe(operation);
    }
    expect(operationOf(7)).toBeUndefined();
    expect(operationOf(4097)).toBeUndefined();
    expect(operationNamed('NONE')).toBeUndefined();
  });

  it('never wants a reply where there is no reply body', () => {
    for (const { reply, replyRule } of operations) expect(reply === undefined).toBe(replyRule === 'never');
  });
});

describe('columns name fields that there are', () => {
  const structsOf = (parts: readonly Part[] = []): Struct[] =>
    parts.flatMap((part) => {
      if (part.kind === 'choice') return structsOf([...part.then, ...part.otherwise]);
      return part.kind === 'struct' ? [part.layout] : [];
    });
  const itemsOf = (parts: readonly Part[] = [], each?: string): Struct[] =>
    parts.flatMap((part) =>
      (part.kind === 'list' || part.kind === 'records') && part.field === each ? [part.of] : [],
    );
  const has = (structs: readonly Struct[], path: string | undefined): boolean =>
    path === undefined || structs.some((layout) => fieldAt(layout, path) !== undefined);

  const checkIds = (
    ids: readonly IdUse[],
    bodies: Readonly<Record<string, readonly Part[] | undefined>>,
  ): void => {
    for (const { side, part, field, each, when, count, generation } of ids) {
      const all = bodies[side];
      const body = each === undefined ? structsOf(all) : itemsOf(all, each);
      const owner = part === 'header' ? [inHeader] : body;
      expect({ field, found: has(owner, field) }).toEqual({ field, found: true });
      for (const other of [when?.field, count, generation])
        expect({ other, found: has(body, other) }).toEqual({ other, found: true });
    }
  };

  it.each(operations)('in $name', ({ ids, compare, request, reply }) => {
    checkIds(ids, { request, reply });
    for (const { field, each, when, how } of compare) {
      const owner = each === undefined ? structsOf(reply) : itemsOf(reply, each);
      const found = how === 'unordered' ? itemsOf(reply, field).length > 0 : has(owner, field);
      expect({ field, found, when: has(owner, when?.field) }).toEqual({ field, found: true, when: true });
    }
  });

  it.each(notifications)('in notification $name', ({ ids, body }) => checkIds(ids, { notification: body }));

  it('and cut structs between fields', () => {
    const bodies = operations.flatMap(({ request, reply = [] }) => [...request, ...reply]);
    for (const part of bodies)
      if (part.kind === 'struct')
        for (const { bytes } of part.short) expect(prefixOf(part.layout, bytes)).toBe(bytes);
  });

  it('and nodes, handles and cookies are given before they are used', () => {
    const given = new Set(
      operations.flatMap(({ ids }) => ids.filter(({ act }) => act === 'create').map(({ kind }) => kind)),
    );
    expect([...given].sort()).toEqual(['cookie', 'handle', 'kh', 'node']);
  });
});

import { describe, expect, it } from 'vitest';
import { notifications } from '#relight/protocol/notifications.js';
import { operationNamed, operationOf, operations } from '#relight/protocol/operations.js';

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

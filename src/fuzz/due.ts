/** Whether a server owes an answer to a request, however wrong it is. */

import type { Shape } from '../kernel/shape.js';
import { IN_HEADER_SIZE, lengthOf, opcodeOf } from '../protocol/header.js';
import type { OperationName } from '../protocol/operations.js';
import type { CaseRequest } from './case.js';

/** A lock may be waited for as long as it takes. */
const PATIENT: OperationName = 'SETLKW';

/**
 * Whether an answer is due: not for operations without one, nor for frames of which the header is no header or tells another
 * length than they have, since no server can be asked to make sense of those.
 */
export const isAwaited = ({ bytes }: CaseRequest, shapes: ReadonlyMap<number, Shape>): boolean => {
  if (bytes.length < IN_HEADER_SIZE || lengthOf(bytes) !== bytes.length) return false;
  const shape = shapes.get(opcodeOf(bytes));
  // Of an opcode that nobody knows every server says so (ENOSYS).
  if (shape === undefined) return true;
  return shape.answered === 'always' && shape.name !== PATIENT;
};

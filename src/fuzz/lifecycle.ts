/** Which operations find, open, close and forget objects: read off the `ids` of the operation table, where nothing names them. */

import type { IdUse, ObjectType } from '../protocol/operation.js';
import { type Operation, operations } from '../protocol/operations.js';

const makes = (op: Operation, kind: IdUse['kind']): boolean =>
  op.ids.some((use) => use.side === 'reply' && use.kind === kind && use.act === 'create');
const makesEach = (op: Operation): boolean =>
  op.ids.some((use) => use.act === 'create' && use.each !== undefined);
const ends = (op: Operation, kind: IdUse['kind']): boolean =>
  op.ids.some((use) => use.kind === kind && use.act === 'release' && use.each === undefined);
const headerType = (op: Operation): ObjectType | undefined =>
  op.ids.find(({ part, kind }) => part === 'header' && kind === 'node')?.type;

const only = (what: string, wanted: (op: Operation) => boolean): Operation => {
  const [found] = operations.filter(wanted);
  if (found === undefined) throw new Error(`the operation table has nothing that ${what}`);
  return found;
};

/** Gives the node of a name and changes nothing. */
export const finding = only(
  'finds a node',
  (op) => op.effect === 'none' && makes(op, 'node') && !makesEach(op),
);

/** Gives lookups of one node back. */
export const forgetting = only('forgets a node', (op) => ends(op, 'node'));

const opener = (type: ObjectType): Operation =>
  only(`opens a ${type}`, (op) => makes(op, 'handle') && !makes(op, 'node') && headerType(op) === type);
const closer = (type: ObjectType): Operation =>
  only(`closes a ${type}`, (op) => ends(op, 'handle') && headerType(op) === type);

/** Gives a handle of a node; types that are not opened have none. */
export const opening: Readonly<Partial<Record<string, Operation>>> = {
  file: opener('file'),
  directory: opener('directory'),
};

/** Gives a handle back. */
export const closing: Readonly<Partial<Record<string, Operation>>> = {
  file: closer('file'),
  directory: closer('directory'),
};

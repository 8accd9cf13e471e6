/** The name of a READDIRPLUS record, found from the place of its nodeid. */

import { fieldAt } from '../protocol/layout.js';
import { u32At } from '../protocol/raw.js';
import { direntplus } from '../protocol/structs.js';

const from = (path: string): number => fieldAt(direntplus, path)?.offset ?? 0;
const NAMELEN_FROM_NODEID = from('namelen') - from('nodeid');
const NAME_FROM_NODEID = direntplus.size - from('nodeid');

/** Index of the first byte of the name. */
export const recordNameStart = (nodeidAt: number): number => nodeidAt + NAME_FROM_NODEID;

/** Index after the last byte of the name, never beyond the frame. */
export const recordNameEnd = (bytes: Uint8Array, nodeidAt: number): number =>
  Math.min(bytes.length, recordNameStart(nodeidAt) + u32At(bytes, nodeidAt + NAMELEN_FROM_NODEID));

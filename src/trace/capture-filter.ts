/** Which frames a recording with a filter keeps, decided as they pass: a request is kept while its reply could still match. */

import { operationNamed } from '../protocol/operations.js';
import { FrameDecoder } from './decoded-frames.js';
import type { Filter } from './filter.js';
import { evaluate } from './filter-match.js';
import type { Frame } from './frame.js';

const INIT = operationNamed('INIT').name;

/** Tells for each frame, in order, whether to keep it; without the handshake nothing else could be read, so that always is. */
export const captureFilter = (filter: Filter, startTimeNs: bigint): ((frame: Frame) => boolean) => {
  const decoder = new FrameDecoder();
  return (frame) => {
    const decoded = decoder.decode(frame);
    return decoded.op === INIT || evaluate(filter, decoded, { startTimeNs, isOpen: true }) !== false;
  };
};

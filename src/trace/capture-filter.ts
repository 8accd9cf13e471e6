/**
 * Which frames a recording with a filter keeps, decided as they pass: a request while its reply could still match, and
 * the reply of each request that was kept, so that no request seems unanswered.
 */

import { operationNamed } from '../protocol/operations.js';
import { FrameDecoder } from './decoded-frames.js';
import type { SentRequest } from './exchange.js';
import type { Filter } from './filter.js';
import { evaluate } from './filter-match.js';
import type { Frame } from './frame.js';

const INIT = operationNamed('INIT').name;

/** Tells for each frame, in order, whether to keep it; without the handshake nothing else could be read, so that always is. */
export const captureFilter = (filter: Filter, startTimeNs: bigint): ((frame: Frame) => boolean) => {
  const decoder = new FrameDecoder();
  const kept = new WeakSet<SentRequest>();
  return (frame) => {
    const decoded = decoder.decode(frame);
    const { request, kind } = decoded;
    if (kind === 'reply' && request !== undefined) return decoded.op === INIT || kept.has(request);
    const isKept = decoded.op === INIT || evaluate(filter, decoded, { startTimeNs, isOpen: true }) !== false;
    if (isKept && request !== undefined) kept.add(request);
    return isKept;
  };
};

/** Thread of the trace writer. It sleeps on the ring, at most 50 ms, and looks at the session's messages in between. */

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { RelightError } from '../base/error.js';
import { type Filter, isFilterError, parseFilter } from '../trace/filter.js';
import { createTrace, type TraceWriter } from '../trace/writer.js';
import { RingConsumer } from './ring.js';
import { Tee } from './tee.js';
import type { FromTee, TeeOptions, ToTee } from './tee-messages.js';

/**
 * Above this share of the ring, blocks are stored uncompressed until the writer has caught up: more than one of the largest
 * frames waits, so this is bulk data, and compressing it would take processor time away from the mount.
 */
const PRESSURE = 1 / 16;

const port = parentPort;
const options = workerData as TeeOptions;
const tell = (message: FromTee): void => port?.postMessage(message);
const ring = new RingConsumer(options.ring);

const filterOf = (text: string): Filter | undefined => {
  if (text === '') return undefined;
  const filter = parseFilter(text);
  if (isFilterError(filter)) throw new RelightError('usage', filter.message);
  return filter;
};

const open = (): TraceWriter | undefined => {
  try {
    const filter = filterOf(options.context.filter);
    return createTrace(options.path, {
      context: options.context,
      codec: options.codec,
      pressure: () => ring.pressure() > PRESSURE,
      ...(filter === undefined ? {} : { filter }),
      ...(options.rotateBytes === undefined ? {} : { rotateBytes: options.rotateBytes }),
    });
  } catch (error) {
    if (!(error instanceof RelightError)) throw error;
    tell({ kind: 'refused', code: error.code, message: error.message });
    return undefined;
  }
};

const writer = open();
if (writer !== undefined) {
  tell({ kind: 'opened' });
  const tee = new Tee(ring, writer, tell);
  do
    for (let next = port && receiveMessageOnPort(port); next; next = port && receiveMessageOnPort(port))
      tee.hear(next.message as ToTee);
  while (tee.turn());
}
port?.close();

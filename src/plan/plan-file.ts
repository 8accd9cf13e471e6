/** Plans in files: the text in one, long contents beside it in a folder named after it. */

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createSink, fileError } from '../trace/sink.js';
import type { Plan } from './plan.js';
import type { LoadPayload, StorePayload } from './text/payload.js';
import { readPlan } from './text/read.js';
import { writePlan } from './text/write.js';

/** Contents up to this many bytes stay in the text, where they can be read and edited. */
const LONGEST_IN_TEXT = 64;
/** Bytes of text written at once. */
const WRITE_BYTES = 1 << 20;
/** Half a SHA-256 in hexadecimal; nothing else is opened, so that a stranger's plan reaches no other file. */
const PAYLOAD_NAME = /^[0-9a-f]{32}$/;

const folderOf = (path: string): string => `${path}.data`;

const storeIn = (folder: string): StorePayload => {
  const stored = new Set<string>();
  return (bytes) => {
    if (bytes.length <= LONGEST_IN_TEXT) return undefined;
    const name = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
    if (stored.has(name)) return name;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, name), bytes, { mode: 0o600 });
    stored.add(name);
    return name;
  };
};

const loadFrom =
  (folder: string): LoadPayload =>
  (name) => {
    try {
      return PAYLOAD_NAME.test(name) ? new Uint8Array(readFileSync(join(folder, name))) : undefined;
    } catch {
      return undefined;
    }
  };

/**
 * Writes a plan to a file, and contents of more than 64 bytes to files in the folder `PATH.data`. Throws a RelightError
 * when that cannot be.
 */
export const savePlan = (path: string, plan: Plan): void => {
  const sink = createSink(path);
  try {
    let text = '';
    for (const line of writePlan(plan, { store: storeIn(folderOf(path)) })) {
      text += `${line}\n`;
      if (text.length < WRITE_BYTES) continue;
      sink.write([Buffer.from(text)]);
      text = '';
    }
    sink.write([Buffer.from(text)]);
  } catch (error) {
    throw fileError('write', path, error);
  } finally {
    sink.close();
  }
};

/** Reads a plan that `savePlan` wrote. Throws a RelightError with file, line and what was expected when it cannot. */
export const loadPlan = (path: string): Plan => {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw fileError('read', path, error);
  }
  return readPlan(text.split('\n'), { name: basename(path), load: loadFrom(folderOf(path)) });
};

/** Standard output as a document: buffered, written synchronously so that a slow reader slows us and nothing piles up. */

import { writeSync } from 'node:fs';

/** The reader of our standard output went away (`| head`): nothing is wrong and nothing is left to do. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}

const STDOUT = 1;
const CHUNK = 1 << 16;
const RETRY_MS = 5;

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;

const pause = (ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
};

const writeSome = (bytes: Uint8Array): number => {
  try {
    return writeSync(STDOUT, bytes);
  } catch (error) {
    if (codeOf(error) === 'EPIPE') throw new OutputClosed('standard output was closed', { cause: error });
    if (codeOf(error) !== 'EAGAIN') throw error;
    // Somebody made the pipe non-blocking, and its reader is slow.
    pause(RETRY_MS);
    return 0;
  }
};

const writeAll = (text: string): void => {
  let left: Uint8Array = Buffer.from(text);
  while (left.length > 0) left = left.subarray(writeSome(left));
};

/** Collects lines and writes them in large pieces. */
export class Output {
  #parts: string[] = [];
  #length = 0;

  /** Adds a line. Throws OutputClosed when the reader went away. */
  line(text: string): void {
    this.#parts.push(text, '\n');
    this.#length += text.length + 1;
    if (this.#length >= CHUNK) this.flush();
  }

  /** Adds one JSON document. */
  json(document: unknown): void {
    this.line(JSON.stringify(document, undefined, 2));
  }

  /** Writes out what was collected. Throws OutputClosed when the reader went away. */
  flush(): void {
    const text = this.#parts.join('');
    this.#parts = [];
    this.#length = 0;
    if (text !== '') writeAll(text);
  }
}

/** Writes lines to standard output at once. Throws OutputClosed when the reader went away. */
export const print = (...lines: readonly string[]): void => {
  const output = new Output();
  for (const line of lines) output.line(line);
  output.flush();
};

/** Writes one JSON document to standard output. */
export const printJson = (document: unknown): void => {
  const output = new Output();
  output.json(document);
  output.flush();
};

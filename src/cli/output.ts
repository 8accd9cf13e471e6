/** Documents for standard output or a file: buffered, written synchronously so that a slow reader slows us and nothing piles up. */

import { closeSync, openSync, writeSync } from 'node:fs';
import { RelightError } from '../base/error.js';

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

const cannotWrite = (name: string, cause: unknown): RelightError =>
  new RelightError('environment', `cannot write ${name}: ${cause instanceof Error ? cause.message : cause}`, {
    cause,
  });

/** Collects text or bytes and writes them in large pieces. */
export class Output {
  readonly #fd: number;
  readonly #name: string;
  #parts: Uint8Array[] = [];
  #text: string[] = [];
  #length = 0;

  /** path: a file to replace; standard output without. Throws RelightError when the file cannot be written. */
  constructor(path?: string) {
    this.#name = path ?? 'standard output';
    try {
      this.#fd = path === undefined ? STDOUT : openSync(path, 'w');
    } catch (error) {
      throw cannotWrite(this.#name, error);
    }
  }

  /** Adds a line. Throws OutputClosed when the reader went away. */
  line(text: string): void {
    this.#text.push(text, '\n');
    this.#added(text.length + 1);
  }

  /** Adds bytes, which are kept until they are written. Throws OutputClosed when the reader went away. */
  bytes(bytes: Uint8Array): void {
    this.#endText();
    this.#parts.push(bytes);
    this.#added(bytes.length);
  }

  /** Adds one JSON document. */
  json(document: unknown): void {
    this.line(JSON.stringify(document, undefined, 2));
  }

  /** Writes out what was collected. Throws OutputClosed when the reader went away. */
  flush(): void {
    this.#endText();
    const parts = this.#parts;
    this.#parts = [];
    this.#length = 0;
    for (const part of parts) this.#writeAll(part);
  }

  /** Writes out what was collected and closes a file. */
  close(): void {
    this.flush();
    if (this.#fd !== STDOUT) closeSync(this.#fd);
  }

  #added(length: number): void {
    this.#length += length;
    if (this.#length >= CHUNK) this.flush();
  }

  #endText(): void {
    if (this.#text.length === 0) return;
    this.#parts.push(Buffer.from(this.#text.join('')));
    this.#text = [];
  }

  #writeAll(bytes: Uint8Array): void {
    for (let left = bytes; left.length > 0; ) left = left.subarray(this.#writeSome(left));
  }

  #writeSome(bytes: Uint8Array): number {
    try {
      return writeSync(this.#fd, bytes);
    } catch (error) {
      if (codeOf(error) === 'EPIPE') throw new OutputClosed('standard output was closed', { cause: error });
      if (codeOf(error) !== 'EAGAIN') throw cannotWrite(this.#name, error);
      // Somebody made the pipe non-blocking, and its reader is slow.
      pause(RETRY_MS);
      return 0;
    }
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

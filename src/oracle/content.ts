/** What is known of a file's bytes: stretches that were read or written. They are kept by reference, not copied. */

import { firstDifferent } from './text.js';

/** Bytes from an offset on. */
export interface Span {
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** How bytes compare with what is known at their place. */
export interface ContentMatch {
  /** Bytes whose value was known. */
  readonly compared: number;
  /** Offset in the file of the first byte that differs. */
  readonly differsAt: number | undefined;
  /** The known bytes there, up to the end of their stretch. */
  readonly expected: Uint8Array | undefined;
  /** Whether there is more than zeroes among the known bytes: those say little. */
  readonly telling: boolean;
}

const endOf = ({ start, bytes }: Span): number => start + bytes.length;

const isTelling = (bytes: Uint8Array): boolean => bytes.some((byte) => byte !== 0);

/** The known bytes of one file. */
export class Content {
  #spans: Span[] = [];

  /** Stretches in the order of their offsets; they do not overlap. */
  get spans(): readonly Span[] {
    return this.#spans;
  }

  /** Notes bytes that the file holds from `start` on, whatever was known before. */
  put(start: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const last = this.#spans.at(-1);
    // Files are mostly read and written from front to back.
    if (last === undefined || endOf(last) <= start) {
      this.#spans.push({ start, bytes });
      return;
    }
    this.drop(start, start + bytes.length);
    const at = this.#spans.findIndex((span) => span.start > start);
    this.#spans.splice(at < 0 ? this.#spans.length : at, 0, { start, bytes });
  }

  /** Forgets the bytes from `start` up to `end`. */
  drop(start: number, end: number): void {
    if (end <= start) return;
    this.#spans = this.#spans.flatMap((span) => {
      if (endOf(span) <= start || span.start >= end) return [span];
      const before = { start: span.start, bytes: span.bytes.subarray(0, Math.max(0, start - span.start)) };
      const after = { start: end, bytes: span.bytes.subarray(Math.min(span.bytes.length, end - span.start)) };
      return [before, after].filter(({ bytes }) => bytes.length > 0);
    });
  }

  /** Forgets what lies beyond a size. */
  truncate(size: number): void {
    this.drop(size, Number.POSITIVE_INFINITY);
  }

  /** Compares bytes at an offset with what is known there. */
  match(start: number, bytes: Uint8Array): ContentMatch {
    const end = start + bytes.length;
    let compared = 0;
    let telling = false;
    for (const span of this.#spans) {
      const from = Math.max(start, span.start);
      const to = Math.min(end, endOf(span));
      if (from >= to) continue;
      const known = span.bytes.subarray(from - span.start, to - span.start);
      const live = bytes.subarray(from - start, to - start);
      const at = firstDifferent(known, live);
      compared += known.length;
      telling ||= isTelling(known);
      if (at < known.length) return { compared, telling, differsAt: from + at, expected: known.subarray(at) };
    }
    return { compared, telling, differsAt: undefined, expected: undefined };
  }
}

/** Original contents of the seeded files: every 64-byte line names its file and its place, so that any read shows whose bytes it got. */

import type { Source } from './content.js';

const LINE = 64;

/** A well mixed 32-bit hash of two numbers (finaliser of MurmurHash3). */
export const mix = (a: number, b: number): number => {
  let h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b + 0x7f4a7c15, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};

const lineOf = (label: string, seed: number, index: number): string => {
  const text = `${label} line ${index} ${mix(seed, index).toString(16).padStart(8, '0')} `;
  return `${text.padEnd(LINE - 1, '.').slice(0, LINE - 1)}\n`;
};

/** Text of a file as a source: 64-byte lines of its label (short), the line number and a hash of the seed. */
export const textSource =
  (label: string, seed: number): Source =>
  (offset, target) => {
    const first = Math.floor(offset / LINE);
    for (let index = first; index * LINE < offset + target.length; index++) {
      const line = Buffer.from(lineOf(label, seed, index), 'latin1');
      const skip = Math.max(0, offset - index * LINE);
      const at = index * LINE + skip - offset;
      target.set(line.subarray(skip, Math.min(LINE, skip + target.length - at)), at);
    }
  };

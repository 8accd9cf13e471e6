import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOf, textOf } from '#relight/protocol/byte-string.js';

const text = (...bytes: number[]): string => textOf(Uint8Array.from(bytes), 0, bytes.length);

describe('names', () => {
  it('are UTF-8, and what is none survives as a lone surrogate', () => {
    expect(text(0x61, 0xc3, 0xa4)).toBe('aä');
    expect(text(0x61, 0xff, 0x62)).toBe('a\udcffb');
    expect(text(0xc3)).toBe('\udcc3');
    expect(text(0xf0, 0x9f, 0x98, 0x80, 0x80)).toBe('\u{1f600}\udc80');
    // A surrogate written as UTF-8 is no UTF-8.
    expect(text(0xed, 0xb2, 0x80)).toBe('\udced\udcb2\udc80');
  });

  it('of any bytes come back as they were', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(new Uint8Array(bytesOf(textOf(bytes, 0, bytes.length)))).toEqual(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  it('of any string come back as they were', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const bytes = bytesOf(name);
        expect(textOf(bytes, 0, bytes.length)).toBe(name);
      }),
    );
  });
});

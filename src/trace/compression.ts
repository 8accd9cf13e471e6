/** Compression of blocks, and the choice not to: data that does not shrink is stored as it is. */

import {
  brotliCompressSync,
  brotliDecompressSync,
  constants,
  deflateRawSync,
  inflateRawSync,
} from 'node:zlib';

/** How a block is stored; numbers of `Codec` in proto/trace.proto. */
export const Codec = { none: 0, deflate: 1, brotli: 2 } as const;

/** Name of a codec. */
export type CodecName = keyof typeof Codec;

/** Bytes tried before a large block is compressed. */
const SAMPLE = 4096;
/** Less than this is compressed without a trial. */
const TRIAL_FROM = 4 * SAMPLE;
/** Not worth a reader's time above this share of the raw size. */
const WORTHWHILE = 0.9;
/** Brotli's window: no block is much larger. */
const WINDOW_BITS = 18;

const compressors: Readonly<Record<Exclude<CodecName, 'none'>, (raw: Uint8Array) => Uint8Array>> = {
  deflate: (raw) => deflateRawSync(raw, { level: 1 }),
  brotli: (raw) =>
    brotliCompressSync(raw, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: 1,
        [constants.BROTLI_PARAM_LGWIN]: WINDOW_BITS,
        [constants.BROTLI_PARAM_SIZE_HINT]: raw.length,
      },
    }),
};

/** Whether some bytes of the largest chunk shrink. Deflate says the same as brotli and starts faster. */
const looksCompressible = (chunks: readonly Uint8Array[]): boolean => {
  const largest = chunks.reduce((a, b) => (b.length > a.length ? b : a), new Uint8Array(0));
  if (largest.length < TRIAL_FROM) return true;
  const middle = (largest.length - SAMPLE) >> 1;
  return [middle, largest.length - SAMPLE].some(
    (at) => deflateRawSync(largest.subarray(at, at + SAMPLE), { level: 1 }).length < SAMPLE * WORTHWHILE,
  );
};

/** The chunks compressed together; `undefined` when they are better stored as they are. */
export const compress = (codec: CodecName, chunks: readonly Uint8Array[]): Uint8Array | undefined => {
  if (codec === 'none' || !looksCompressible(chunks)) return undefined;
  const raw = Buffer.concat(chunks);
  const packed = compressors[codec](raw);
  return packed.length < raw.length * WORTHWHILE ? packed : undefined;
};

/**
 * The raw bytes of a stored block; `undefined` when they are damaged, of another length than `rawLength`, or of a codec
 * that this version does not know. Never allocates more than `rawLength`, whatever the bytes say.
 */
export const decompress = (codec: number, stored: Uint8Array, rawLength: number): Uint8Array | undefined => {
  if (codec === Codec.none) return stored.length === rawLength ? stored : undefined;
  if (codec !== Codec.deflate && codec !== Codec.brotli) return undefined;
  try {
    const options = { maxOutputLength: Math.max(1, rawLength) };
    const raw =
      codec === Codec.brotli ? brotliDecompressSync(stored, options) : inflateRawSync(stored, options);
    return raw.length === rawLength ? raw : undefined;
  } catch {
    return undefined;
  }
};

/** Values of options: sizes, times, payload modes. Each throws `usage` with what would have been understood. */

import { RelightError } from '../base/error.js';
import type { PayloadMode } from '../trace/context.js';

const scales: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** Bytes from `64K`, `1.5M` or `4096`. */
export const sizeFrom = (option: string, text: string): number => {
  const [, number = '', suffix = ''] = /^(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?$/i.exec(text) ?? [];
  const bytes = Math.floor(Number(number) * (scales[suffix.toUpperCase()] ?? 1));
  if (number !== '' && Number.isSafeInteger(bytes)) return bytes;
  throw new RelightError('usage', `${option} cannot be ${JSON.stringify(text)}`, {
    remedy: 'give bytes, or a number with K, M or G, as in 64M',
  });
};

/** Milliseconds from seconds, which may have a fraction; at most a day. */
export const millisecondsFrom = (option: string, text: string): number => {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (seconds <= 86_400) return Math.round(seconds * 1000);
  throw new RelightError('usage', `${option} cannot be ${JSON.stringify(text)}`, {
    remedy: 'give seconds, as in 30 or 0.5',
  });
};

/** A whole number that is not negative. */
export const countFrom = (option: string, text: string): number => {
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(count)) return count;
  throw new RelightError('usage', `${option} cannot be ${JSON.stringify(text)}`, {
    remedy: 'give a whole number',
  });
};

/** A whole number that is at least 1. */
export const positiveFrom = (option: string, text: string): number => {
  const count = countFrom(option, text);
  if (count > 0) return count;
  throw new RelightError('usage', `${option} must be at least 1`, { remedy: 'leave it out for the default' });
};

/** A payload mode from `full`, `none`, `hash` or `first:BYTES`. */
export const payloadFrom = (option: string, text: string): PayloadMode => {
  if (text === 'full' || text === 'none' || text === 'hash') return { kind: text };
  if (text.startsWith('first:'))
    return { kind: 'first', bytes: sizeFrom(option, text.slice('first:'.length)) };
  throw new RelightError('usage', `${option} cannot be ${JSON.stringify(text)}`, {
    remedy: 'choose full, none, hash, or first:BYTES as in first:256',
  });
};

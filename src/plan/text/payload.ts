/** Bytes in a plan's text: hexadecimal, a run of zeroes, or the name of a file beside the plan. */

/** Keeps bytes elsewhere and gives a name for them; `undefined` leaves them in the text. Names are single words. */
export type StorePayload = (bytes: Uint8Array) => string | undefined;
/** Bytes of a name that `StorePayload` gave; `undefined` when there are none. */
export type LoadPayload = (name: string) => Uint8Array | undefined;

/** Below this, zeroes are no longer than `zero:N`. */
const FEW_ZEROES = 8;
/** More than any message has; a count in a text may be nonsense. */
const MOST_ZEROES = 1 << 28;
const HEX = /^([0-9a-f]{2})*$/i;

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

/** `hex:…`, `zero:N` or `file:NAME`. */
export const payloadText = (bytes: Uint8Array, store: StorePayload): string => {
  if (bytes.length >= FEW_ZEROES && isZero(bytes)) return `zero:${bytes.length}`;
  const name = store(bytes);
  if (name !== undefined) return `file:${name}`;
  return `hex:${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')}`;
};

/** The inverse of `payloadText`; `undefined` when it is none, or its file is missing. */
export const parsePayload = (text: string, load: LoadPayload): Uint8Array | undefined => {
  const colon = text.indexOf(':');
  const value = text.slice(colon + 1);
  const kind = text.slice(0, Math.max(0, colon));
  if (kind === 'file') return load(value);
  if (kind === 'zero')
    return /^\d+$/.test(value) && Number(value) <= MOST_ZEROES ? new Uint8Array(Number(value)) : undefined;
  if (kind !== 'hex' || !HEX.test(value)) return undefined;
  return new Uint8Array(Buffer.from(value, 'hex'));
};

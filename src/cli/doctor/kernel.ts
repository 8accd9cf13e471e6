/** Kernel release, and what FUSE it offers: learnt from the INIT of a throw-away mount, or guessed from the release. */

import { mkdtempSync, rmdirSync } from 'node:fs';
import { machine, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { RelightError } from '../../base/error.js';
import { decodeRequest } from '../../protocol/decode.js';
import { InitFlag } from '../../protocol/flags.js';
import { initFlags, NEWEST_MINOR, newestNegotiated } from '../../protocol/negotiated.js';
import type { Check } from '../../report/doctor.js';
import { openServerChannel } from '../../transport/server-channel.js';

/** What the kernel offered in an INIT. */
export interface Offer {
  readonly minor: number;
  /** Names of flags. */
  readonly features: readonly string[];
}

const INIT_TIMEOUT_MS = 5000;
const ROOM = 64 << 10;

const offerIn = (bytes: Uint8Array): Offer | string => {
  const request = decodeRequest(bytes, newestNegotiated);
  if (request.kind !== 'request' || request.name !== 'INIT') return 'its first message is no INIT';
  const flags = initFlags(request.fields);
  const features = Object.entries(InitFlag).filter(([, bit]) => (flags & bit) !== 0n);
  return { minor: request.fields.minor, features: features.map(([name]) => name) };
};

const mountAndRead = (point: string): Offer | string => {
  const channel = openServerChannel(point, '');
  try {
    const buffer = new Uint8Array(ROOM);
    const length = channel.receive(buffer, INIT_TIMEOUT_MS);
    if (length === 'ended') return 'the mount went away';
    return length === 0 ? 'the kernel sent no INIT' : offerIn(buffer.subarray(0, length));
  } finally {
    channel.close();
  }
};

/** The offer of a real mount on a temporary directory; why there is none, as a phrase. */
export const offerOfKernel = (): Offer | string => {
  const point = mkdtempSync(join(tmpdir(), 'relight-doctor-'));
  try {
    return mountAndRead(point);
  } catch (error) {
    if (error instanceof RelightError) return error.message.replace(point, 'a temporary directory');
    throw error;
  } finally {
    rmdirSync(point);
  }
};

/** First kernel release of each minor (uapi/linux/fuse.h). */
const releases: readonly (readonly [major: number, minor: number, fuse: number])[] = [
  [6, 18, 45],
  [6, 16, 44],
  [6, 15, 43],
  [6, 14, 42],
  [6, 12, 41],
  [6, 9, 40],
  [6, 6, 39],
  [6, 2, 38],
  [6, 1, 37],
  [5, 17, 36],
  [5, 16, 35],
  [5, 14, 34],
  [5, 11, 33],
  [5, 10, 32],
  [5, 4, 31],
];

const guessedMinor = (): number | undefined => {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  return releases.find(([a, b]) => major > a || (major === a && minor >= b))?.[2];
};

/** Features without which something of relight's does not work under the real kernel, and what. */
const wanted: readonly (readonly [flag: string, costs: string])[] = [
  ['HAS_RESEND', 'live cannot have the kernel resend requests after a restart (Linux 6.9)'],
];

const system = `Linux ${release()} ${machine()}`;

/** The row about the kernel. */
export const kernelCheck = (offer: Offer | string): Check => {
  if (typeof offer === 'string') {
    const guess = guessedMinor();
    const fuse = guess === undefined ? 'an unknown FUSE' : `by its release FUSE 7.${guess}`;
    return {
      name: 'kernel',
      state: 'limited',
      found: `${system}, ${fuse}`,
      costs: 'what it offers is a guess',
    };
  }
  const costs = wanted.filter(([flag]) => !offer.features.includes(flag)).map(([, text]) => text);
  if (offer.minor > NEWEST_MINOR)
    costs.push(`messages that are new since 7.${NEWEST_MINOR} are recorded but not understood`);
  return {
    name: 'kernel',
    state: costs.length === 0 ? 'ok' : 'limited',
    found: `${system}, offers FUSE 7.${offer.minor}`,
    ...(costs.length === 0 ? {} : { costs: costs.join('; ') }),
  };
};

/** The row that lists what the kernel offers; none when it could not be asked. */
export const featureChecks = (offer: Offer | string): Check[] => {
  if (typeof offer === 'string') return [];
  const listed = offer.features.filter((name) => name !== 'INIT_EXT').map((name) => name.toLowerCase());
  return [{ name: 'features', state: 'ok', found: listed.join(', ') }];
};

/** The session of a plan as words and back. */

import { type Negotiated, newestNegotiated } from '../../protocol/negotiated.js';
import type { Line } from './line.js';
import { initFlagText, parseInitFlags, parseNumber } from './numbers.js';

type NumberField = Exclude<keyof Negotiated, 'flags'>;
const isNumberField = (name: string): name is NumberField => name !== 'flags' && name in newestNegotiated;

/** `minor=45 flags=A|B …`, all fields by name. */
export const sessionWords = (session: Negotiated): string[] =>
  Object.entries(session).map(([name, value]) =>
    typeof value === 'bigint' ? `${name}=${initFlagText(value)}` : `${name}=${value}`,
  );

/** Reads the words of a session; what is missing is as in the newest minor without options. */
export const parseSession = (line: Line): Negotiated => {
  let session = newestNegotiated;
  while (!line.isAtEnd) {
    const name = line.parsed(`one of ${Object.keys(newestNegotiated).join(', ')}`, (text) =>
      text === 'flags' || isNumberField(text) ? text : undefined,
    );
    line.mark('=');
    session =
      name === 'flags'
        ? { ...session, flags: line.parsed('INIT flags by name', parseInitFlags) }
        : { ...session, [name]: line.parsed(`a number for ${name}`, parseNumber) };
  }
  return session;
};

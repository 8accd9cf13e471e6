/** Memory for what is compiled from a row of a table under one negotiated session. */

import type { Negotiated } from './negotiated.js';

/**
 * Remembers what `make` gives for each row and session. Sessions are told apart by identity, so keep one `Negotiated`
 * object per session.
 */
export const perSession = <Row extends object, Made>(
  make: (row: Row, negotiated: Negotiated) => Made,
): ((row: Row, negotiated: Negotiated) => Made) => {
  const sessions = new WeakMap<Negotiated, Map<Row, Made>>();
  let lastSession: Negotiated | undefined;
  let last = new Map<Row, Made>();
  return (row, negotiated) => {
    if (negotiated !== lastSession) {
      last = sessions.get(negotiated) ?? new Map<Row, Made>();
      sessions.set(negotiated, last);
      lastSession = negotiated;
    }
    const known = last.get(row);
    if (known !== undefined) return known;
    const made = make(row, negotiated);
    last.set(row, made);
    return made;
  };
};

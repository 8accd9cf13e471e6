/** Names of the files of a rotated trace. */

/** Path of a part: `T`, `T.1`, `T.2` … for a trace that is called T. */
export const partPath = (path: string, part: number): string => (part === 0 ? path : `${path}.${part}`);

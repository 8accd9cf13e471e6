/** Bytes as the file of a finding: they are refused, or become a finding that is written and read as the same. */

import { decodeFinding, encodeFinding } from '#relight/fuzz/finding-file.js';
import { claim, sameBytes, unlessRefused } from './expecting.js';

/** The file. */
export const fuzz = async (input: Uint8Array): Promise<void> => {
  const finding = unlessRefused(() => decodeFinding(input, 'fuzzed'));
  if (finding === undefined) return;
  const bytes = encodeFinding(finding);
  claim(sameBytes(encodeFinding(decodeFinding(bytes, 'written')), bytes), 'a finding has one form');
};

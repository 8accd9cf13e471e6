/** Text from strangers, such as file names and commands, made harmless for a terminal and readable for people. */

// Control characters, those that some terminals take for such (C1), and those that turn text around.
const HARMFUL = /[\p{Cc}\p{Bidi_Control}\p{Surrogate}]/gu;

const escapeOne = (character: string): string => {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
};

/** The text with everything that could steer a terminal escaped. */
export const plain = (text: string): string => text.replace(HARMFUL, escapeOne);

const SAFE_WORD = /^[\p{L}\p{N}_@%+=:,./{}~^-]+$/u;

const shellWord = (word: string): string => {
  if (SAFE_WORD.test(word)) return word;
  const inner = plain(word.replaceAll('\\', '\\\\')).replaceAll("'", "\\'");
  return plain(word) === word ? `'${word.replaceAll("'", "'\\''")}'` : `$'${inner}'`;
};

/** A command as one would type it into a shell. */
export const commandText = (argv: readonly string[]): string => argv.map(shellWord).join(' ');

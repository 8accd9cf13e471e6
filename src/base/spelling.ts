/** Which known word somebody may have meant. */

/** Edits (insert, delete, replace, swap of neighbours) from one word to the other. */
const distance = (from: string, to: string): number => {
  let older: number[] = [];
  let above = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1] ? 0 : 1;
      const isSwap = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      const choices = [(above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (above[j - 1] ?? 0) + same];
      if (isSwap) choices.push((older[j - 2] ?? 0) + 1);
      row.push(Math.min(...choices));
    }
    older = above;
    above = row;
  }
  return above[to.length] ?? 0;
};

/** A misspelling has no more edits than this. */
const MOST_EDITS = 2;

/** The known word with the fewest edits (two, and less than half of its letters, at most); `undefined` when none is near. */
export const nearest = (word: string, known: Iterable<string>): string | undefined => {
  const [best] = [...known]
    .map((name) => ({ name, edits: distance(word.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, edits }) => edits <= MOST_EDITS && edits * 2 < name.length)
    .sort((a, b) => a.edits - b.edits);
  return best?.name;
};

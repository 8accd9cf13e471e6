/** Long lines broken at spaces. */

const PAPER = 80;

/** The text in lines of at most `width` characters where its words allow; all but the first begin with `indent`. */
export const wrapped = (text: string, indent = '', width = PAPER): string[] => {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/(?<=\S) /)) {
    const isFull = line !== '' && line.length + 1 + word.length > width;
    if (isFull) lines.push(line);
    if (isFull || line === '') line = `${lines.length > 0 ? indent : ''}${word}`;
    else line = `${line} ${word}`;
  }
  return [...lines, line];
};

/** One line at the foot of a terminal that changes while something goes on; nothing at all where there is no terminal. */

const CLEAR = '\r\x1b[K';

/** The line. Everything else that goes to the same terminal meanwhile goes `through` it. */
export class StatusLine {
  readonly #stream: NodeJS.WriteStream;
  readonly #isLive: boolean;
  #text = '';

  /** isWanted: false keeps the line away even from a terminal. */
  constructor(isWanted: boolean, stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream;
    this.#isLive = isWanted && stream.isTTY === true;
  }

  /** Shows a text in place of the last one; cut at the width of the terminal. */
  show(text: string): void {
    if (!this.#isLive) return;
    this.#text = text.slice(0, (this.#stream.columns ?? 80) - 1);
    this.#stream.write(`${CLEAR}${this.#text}`);
  }

  /** Writes something that stays, above the line. */
  through(chunk: Uint8Array | string): void {
    if (this.#text === '') {
      this.#stream.write(chunk);
      return;
    }
    const endsLine = typeof chunk === 'string' ? chunk.endsWith('\n') : chunk.at(-1) === 10;
    this.#stream.write(CLEAR);
    this.#stream.write(chunk);
    this.#stream.write(endsLine ? this.#text : `\n${this.#text}`);
  }

  /** Takes the line away. */
  end(): void {
    if (this.#text !== '') this.#stream.write(CLEAR);
    this.#text = '';
  }
}

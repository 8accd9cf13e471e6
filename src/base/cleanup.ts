/** Things to undo, in the reverse order of doing them, whatever happens in between. */

/** A stack of undo steps. */
export class Cleanup {
  readonly #steps: (() => unknown)[] = [];

  /** Adds a step; it may return a promise. */
  defer(step: () => unknown): void {
    this.#steps.push(step);
  }

  /** Runs the steps, last one first, each even if another failed; throws the first failure at the end. */
  async run(): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop())
      try {
        await step();
      } catch (error) {
        failure ??= { error };
      }
    if (failure !== undefined) throw failure.error;
  }
}

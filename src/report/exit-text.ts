/** How processes ended, in words. */

/** An exit as transport reports it. */
export interface Exit {
  readonly code: number | undefined;
  readonly signal: string | undefined;
}

/** An exit in JSON: one of the two is null, both when nobody could tell. */
export interface ExitJson {
  readonly code: number | null;
  readonly signal: string | null;
}

/** An exit in words, to follow the name of what ended. */
export const exitText = ({ code, signal }: Exit): string => {
  if (signal !== undefined) return `was killed by ${signal}`;
  return code === undefined ? 'ended' : `exited with status ${code}`;
};

/** An exit as JSON. */
export const exitJson = ({ code, signal }: Exit): ExitJson => ({
  code: code ?? null,
  signal: signal ?? null,
});

/** The one error class: relight was misused, or this machine or a command given to it cannot do what was asked. */

/**
 * Why relight gives up.
 * - `usage`: wrong arguments, or a file that is not what the command needs; exit status 2.
 * - `environment`: this machine cannot do it (privilege, device, disk space, missing program); exit status 3.
 * - `server`: the server's command failed before there was anything to observe; exit status 3.
 */
export type RelightErrorCode = 'usage' | 'environment' | 'server';

/**
 * What was tried, on what, and how to mend it. What a server or a mount *did* while it was observed is a value,
 * never this error; a bug in relight is any other exception.
 */
export class RelightError extends Error {
  override readonly name = 'RelightError';
  readonly code: RelightErrorCode;
  /** What the user can do about it: a sentence without a full stop; absent when the message says it all. */
  readonly remedy: string | undefined;

  constructor(code: RelightErrorCode, message: string, options: { remedy?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.remedy = options.remedy;
  }
}

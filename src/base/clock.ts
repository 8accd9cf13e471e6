/** Time in nanoseconds since the epoch, monotonic within a process, so that frames of one trace never run backwards. */

const epochNs =
  BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6)) - process.hrtime.bigint();

/** Nanoseconds since 1970 by a clock that never steps back. */
export const nowNs = (): bigint => epochNs + process.hrtime.bigint();

/** Signals by which a user ends us, handed to whoever can end in order. */

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs something during which the signals go to `onSignal` instead of ending the process. */
export const withInterrupts = async <T>(
  onSignal: (signal: NodeJS.Signals) => void,
  run: () => Promise<T>,
): Promise<T> => {
  for (const signal of signals) process.on(signal, onSignal);
  try {
    return await run();
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
};

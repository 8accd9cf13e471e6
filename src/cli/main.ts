#!/usr/bin/env node
/** The `relight` command. */

import { ExitStatus } from './exit-status.js';
import { explain, runProgram } from './program.js';

// Standard error may be closed as well (`2>&1 | head`).
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

process.on('uncaughtException', async (error) => {
  process.stderr.write(`${explain(error)}\n`);
  // The ordinary exit would wait for threads that wait for a device.
  const { exitNow } = await import('../transport/libc.js');
  exitNow(ExitStatus.bug);
});

process.exitCode = await runProgram(process.argv.slice(2));

/** Whether servers can be run behind a socket instead of the device, tried on one of our own. */

import { readFileSync } from 'node:fs';
import { errnoName } from '../../base/errno.js';
import type { Check } from '../../report/doctor.js';
import { switchRandomisation, type Trial, tryServer } from '../../transport/probe.js';
import { mainFile } from '../main-file.js';

const TRIAL_MS = 10_000;

/** Runs memfs behind the interposer, without a mount. */
export const tryMemfs = (): Promise<Trial> =>
  tryServer([process.execPath, mainFile, 'specimen', 'memfs', '{mnt}'], TRIAL_MS);

const isFiltered = (): boolean => /^Seccomp:\s*2/m.test(readFileSync('/proc/self/status', 'utf8'));

const COSTS = 'only servers that take an open descriptor ({fd} in the command) can be run';

const seccompCheck = ({ refusal, isMounted }: Trial): Check => {
  const name = 'interposition';
  if (refusal !== undefined)
    return {
      name,
      state: 'missing',
      found: refusal,
      costs: COSTS,
      mend: 'Linux 5.5 or newer with CONFIG_SECCOMP_FILTER; in a container: --security-opt seccomp=unconfined',
    };
  if (!isMounted)
    return {
      name,
      state: 'missing',
      found: `a trial server could not mount${isFiltered() ? ': an outer seccomp filter answers first' : ''}`,
      costs: COSTS,
      mend: 'in a container: --security-opt seccomp=unconfined, or --cap-add SYS_ADMIN',
    };
  return { name, state: 'ok', found: 'seccomp user notification works; a trial server ran behind it' };
};

const PTRACE_SCOPE = '/proc/sys/kernel/yama/ptrace_scope';

const ptraceScope = (): string => {
  try {
    return `kernel.yama.ptrace_scope is ${readFileSync(PTRACE_SCOPE, 'utf8').trim()}`;
  } catch {
    return 'no Yama';
  }
};

const tracingCheck = ({ readsMemory, copiesDescriptors }: Trial): Check => {
  const name = 'tracing';
  const found = `${ptraceScope()}; process_vm_readv ${readsMemory ? 'works' : 'is refused'}, pidfd_getfd ${copiesDescriptors ? 'works' : 'is refused'}`;
  if (readsMemory && copiesDescriptors) return { name, state: 'ok', found };
  return {
    name,
    state: readsMemory ? 'limited' : 'missing',
    found,
    costs: readsMemory
      ? 'servers that open the device more than once may fail'
      : "a server's calls cannot be read, so none can be answered",
    mend: 'sysctl kernel.yama.ptrace_scope=1; in a container: --cap-add SYS_PTRACE',
  };
};

const RANDOMISE = '/proc/sys/kernel/randomize_va_space';

const randomisationCheck = (): Check => {
  const name = 'ASLR';
  const system = readFileSync(RANDOMISE, 'utf8').trim() === '0' ? 'off for all processes' : 'on';
  const error = switchRandomisation();
  if (error !== 0)
    return {
      name,
      state: 'limited',
      found: `${system}; cannot be switched off for a server: ${errnoName(error)}`,
      costs: '--aslr off does nothing',
      mend: 'in a container: --security-opt seccomp=unconfined',
    };
  if (system === 'on') return { name, state: 'ok', found: 'on, and can be switched off for a server' };
  return {
    name,
    state: 'limited',
    found: system,
    costs: 'addresses repeat: wild pointers look like wrong files',
    mend: 'sysctl kernel.randomize_va_space=2',
  };
};

/** The rows about running servers. */
export const interposingChecks = (trial: Trial): Check[] => [
  seccompCheck(trial),
  ...(trial.refusal === undefined ? [tracingCheck(trial)] : []),
  randomisationCheck(),
];

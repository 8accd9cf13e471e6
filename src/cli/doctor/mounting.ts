/** The device and the privilege to mount: what recording needs. */

import { existsSync, readFileSync } from 'node:fs';
import { errnoName } from '../../base/errno.js';
import type { Check } from '../../report/doctor.js';
import { openDevice } from '../../transport/probe.js';
import { programOn } from './programs.js';

const COSTS = 'recording does not work; replaying and fuzzing do';

const deviceCheck = (): Check => {
  const name = '/dev/fuse';
  const error = openDevice();
  if (error === 0) return { name, state: 'ok', found: 'can be opened' };
  if (!existsSync(name))
    return {
      name,
      state: 'missing',
      found: 'does not exist',
      costs: COSTS,
      mend: 'as root: modprobe fuse; in a container: --device /dev/fuse --cap-add SYS_ADMIN',
    };
  return {
    name,
    state: 'missing',
    found: `cannot be opened: ${errnoName(error)}`,
    costs: COSTS,
    mend: 'as root: chmod 666 /dev/fuse, as distributions have it; in a container: --device /dev/fuse',
  };
};

const capabilities = (): bigint => {
  const [, hex = '0'] = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return BigInt(`0x${hex}`);
};

const CAP_SYS_ADMIN = 21n;
const isRoot = process.geteuid?.() === 0;
const mayMount = ((capabilities() >> CAP_SYS_ADMIN) & 1n) === 1n;

const privilegeCheck = (): Check => {
  const name = 'privileges';
  if (isRoot && mayMount) return { name, state: 'ok', found: 'root with CAP_SYS_ADMIN: mounts by itself' };
  if (isRoot)
    return {
      name,
      state: 'missing',
      found: 'root without CAP_SYS_ADMIN, as in a container',
      costs: COSTS,
      mend: 'start the container with --cap-add SYS_ADMIN --device /dev/fuse',
    };
  return { name, state: 'ok', found: 'an ordinary user: mounts through fusermount3' };
};

const helperCheck = (): Check => {
  const name = 'fusermount3';
  const helper = programOn('fusermount3');
  const state = isRoot ? 'limited' : 'missing';
  if (helper === undefined)
    return {
      name,
      state,
      found: 'is not installed',
      costs: isRoot ? 'servers that mount through it do not work' : COSTS,
      mend: 'install it (Debian: apt-get install fuse3)',
    };
  if (!helper.isSetuid)
    return {
      name,
      state,
      found: `${helper.path} is not setuid root`,
      costs: isRoot ? 'ordinary users cannot mount' : COSTS,
      mend: `as root: chmod u+s ${helper.path}`,
    };
  return { name, state: 'ok', found: `${helper.path}, setuid root` };
};

const allowsOthers = (): boolean => {
  try {
    return /^\s*user_allow_other\s*$/m.test(readFileSync('/etc/fuse.conf', 'utf8'));
  } catch {
    return false;
  }
};

const allowOtherCheck = (): Check => {
  const name = 'allow_other';
  if (isRoot) return { name, state: 'ok', found: 'always for root' };
  if (allowsOthers()) return { name, state: 'ok', found: 'allowed by /etc/fuse.conf' };
  return {
    name,
    state: 'limited',
    found: 'not for ordinary users',
    costs: 'servers that mount with allow_other (bindfs as root does) are refused',
    mend: 'as root: a line user_allow_other in /etc/fuse.conf',
  };
};

/** Whether a throw-away mount worked; `refusal` is why it did not. */
export const mountCheck = (refusal: string | undefined): Check =>
  refusal === undefined
    ? { name: 'mounting', state: 'ok', found: 'a trial mount worked' }
    : {
        name: 'mounting',
        state: 'missing',
        found: `a trial mount failed: ${refusal}`,
        costs: COSTS,
        mend: 'see above',
      };

/** The rows about mounting, up to the trial. */
export const mountingChecks = (): Check[] => [
  deviceCheck(),
  privilegeCheck(),
  helperCheck(),
  allowOtherCheck(),
];

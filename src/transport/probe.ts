/** Tries out what this machine lets us do, on throw-away processes and sockets, for people who want to know beforehand. */

import { setTimeout as sleep } from 'node:timers/promises';
import { deferred } from '../base/deferred.js';
import { RelightError } from '../base/error.js';
import { closeEnd, openChannel } from './channel.js';
import { Launcher } from './launch.js';
import { close, open, personality, pidfdGetfd, pidfdOpen, readMemory } from './libc.js';
import { FUSE_DEVICE } from './mount.js';
import { mapsOf } from './proc.js';
import type { RunningServer } from './running-server.js';

const O_RDWR = 2;
const ADDR_NO_RANDOMIZE = 0x0040000;
const ASK = 0xffffffff;

/** 0 when /dev/fuse can be opened, else the errno. */
export const openDevice = (): number => {
  const fd = open(FUSE_DEVICE, O_RDWR);
  if (fd >= 0) close(fd);
  return Math.max(0, -fd);
};

/** Bytes of the largest message that a server's channel passes with this user's socket buffers. */
export const largestMessage = (): number => {
  const { ours, theirs, maxMessage } = openChannel();
  closeEnd(ours);
  closeEnd(theirs);
  return maxMessage;
};

/** 0 when address randomisation can be switched off for processes that we start, else the errno. */
export const switchRandomisation = (): number => {
  const before = personality(ASK);
  const result = personality(before | ADDR_NO_RANDOMIZE);
  personality(before);
  return Math.max(0, -result);
};

/** How a server fared behind the interposer. */
export interface Trial {
  /** Why there could be no trial; absent when there was one. */
  readonly refusal?: string;
  /** Its opening of the device and its mount were both answered. */
  readonly isMounted: boolean;
  /** Its memory could be read (process_vm_readv). */
  readonly readsMemory: boolean;
  /** Its descriptors could be copied (pidfd_getfd). */
  readonly copiesDescriptors: boolean;
}

const readsMemory = ({ pid }: RunningServer): boolean => {
  const [first] = mapsOf(pid);
  return first !== undefined && readMemory(pid, first.start, 16) !== undefined;
};

const copiesDescriptors = ({ pid }: RunningServer): boolean => {
  const pidfd = pidfdOpen(pid);
  if (pidfd < 0) return false;
  const copy = pidfdGetfd(pidfd, 0);
  close(pidfd);
  if (copy >= 0) close(copy);
  return copy >= 0;
};

/** Starts a server that mounts on `{mnt}` behind the interposer, without a real mount, looks at it and ends it. */
export const tryServer = async (command: readonly string[], timeoutMs: number): Promise<Trial> => {
  const nothing = { isMounted: false, readsMemory: false, copiesDescriptors: false };
  let launcher: Launcher | undefined;
  try {
    launcher = await Launcher.open({ command, mode: 'pretend' });
    return await observe(launcher, timeoutMs);
  } catch (error) {
    if (error instanceof RelightError) return { ...nothing, refusal: error.message };
    throw error;
  } finally {
    await launcher?.close();
  }
};

const observe = async (launcher: Launcher, timeoutMs: number): Promise<Trial> => {
  const mounted = deferred<boolean>();
  const server = await launcher.launch({
    onMounted: ({ error }) => mounted.resolve(error === 0),
    onRootExit: () => mounted.resolve(false),
  });
  const late = sleep(timeoutMs, false, { ref: false });
  const isMounted = await Promise.race([mounted.promise, late]);
  const trial = {
    isMounted,
    readsMemory: readsMemory(server),
    copiesDescriptors: copiesDescriptors(server),
  };
  await server.end({ graceMs: 0 });
  closeEnd(server.channel.ours);
  return trial;
};

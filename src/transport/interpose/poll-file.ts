/**
 * The file that go-fuse opens below its mount point once INIT is over, to teach the Go runtime about FUSE polls; it takes
 * the mount for failed when the file is absent (`fuse/poll.go`, pollHack). Where no mount answers, a real file has to.
 */

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const NAME = '.go-fuse-epoll-hack';

/** Puts it into a temporary mount point. Only once mounted: libfuse 2 wants a mount point to be empty. */
export const putPollFile = (mountPoint: string): void => writeFileSync(join(mountPoint, NAME), '');

/** Takes it away, if it is there. */
export const removePollFile = (mountPoint: string): void => rmSync(join(mountPoint, NAME), { force: true });

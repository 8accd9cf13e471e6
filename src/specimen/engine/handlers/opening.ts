/** Handlers that open and close files and directories. */

import type { Draft } from '../../../protocol/encode.js';
import { ReleaseFlag } from '../../../protocol/flags.js';
import type { ReplyFields } from '../../../protocol/operations.js';
import { resize } from '../../store/data.js';
import type { Inode } from '../../store/inode.js';
import { refuse } from '../../store/refusal.js';
import { type Answer, type Call, done, type Handler, onDirectory, onHandle, onNode } from '../handler.js';
import type { Server } from '../server.js';

/** O_TRUNC of x86-64 and arm64; the kernel leaves it in when ATOMIC_O_TRUNC was settled. */
const O_TRUNC = 0o1000;

/** Opens a file and says so. */
export const openOut = (server: Server, inode: Inode, flags: number): Draft<ReplyFields<'OPEN'>> => ({
  fh: server.handles.open({ inode, flags }),
});

export const OPEN: Handler<'OPEN'> = onNode(({ server, fields: { flags } }, inode) => {
  if (inode.body.kind === 'directory') return refuse('EISDIR');
  const refused = (flags & O_TRUNC) === 0 ? undefined : resize(server.store, inode, 0n, server.now());
  return refused ?? openOut(server, inode, flags);
});

export const OPENDIR: Handler<'OPENDIR'> = onDirectory(({ server, fields }, directory) =>
  openOut(server, directory, fields.flags),
);

const release = (
  { server, fields }: Pick<Call<'RELEASE'>, 'server' | 'fields'>,
  inode: Inode,
): Answer<'RELEASE'> => {
  const { fh, releaseFlags, lockOwner } = fields;
  if ((releaseFlags & ReleaseFlag.FLOCK_UNLOCK) !== 0) server.locks.drop({ inode, kind: 'flock' }, lockOwner);
  server.handles.release(fh);
  return done;
};

export const RELEASE: Handler<'RELEASE'> = onHandle((call, { inode }) => release(call, inode));

export const RELEASEDIR: Handler<'RELEASEDIR'> = onHandle((call, { inode }) => release(call, inode));

/** The last writer's locks go with each close(2) (fs/locks.c, locks_remove_posix). */
export const FLUSH: Handler<'FLUSH'> = onHandle(({ server, fields }, { inode }) => {
  server.locks.drop({ inode, kind: 'posix' }, fields.lockOwner);
  return done;
});

export const FSYNC: Handler<'FSYNC'> = onHandle(() => done);

export const FSYNCDIR: Handler<'FSYNCDIR'> = onHandle(() => done);

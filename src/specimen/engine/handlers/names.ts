/** Handlers that find, make, remove and move names. */

import { RenameFlag } from '../../../protocol/flags.js';
import { FileType, type Inode } from '../../store/inode.js';
import { link, lookup, make, makeNameless, type NewFile, rename, rmdir, unlink } from '../../store/names.js';
import { isRefusal, type Refusal, refuse } from '../../store/refusal.js';
import { type Directory, isDirectory } from '../../store/store.js';
import { emptyEntry, entryOut } from '../attributes.js';
import { type Answer, type Call, done, type Handler, onDirectory, onNode } from '../handler.js';
import { directoryOf, nodeOf, type Server } from '../server.js';
import { openOut } from './opening.js';

/** LOOKUP of ".", which the kernel sends to find a node again (EXPORT_SUPPORT), works on any node. */
export const LOOKUP: Handler<'LOOKUP'> = onNode(({ server, fields: { name } }, inode) => {
  if (name === '.') return entryOut(server, inode);
  if (!isDirectory(inode)) return refuse('ENOTDIR');
  const found = lookup(server.store, { directory: inode, name });
  if (!isRefusal(found)) return entryOut(server, found);
  return server.manner.negativeTimeoutS > 0 && found === refuse('ENOENT') ? emptyEntry(server) : found;
});

const entryOr = (server: Server, made: Inode | Refusal): Answer<'LOOKUP'> =>
  isRefusal(made) ? made : entryOut(server, made);

/** What a new file gets from its request; DONT_MASK leaves the umask to the server, and applying it twice does no harm. */
const newFile = (
  { server, header }: Pick<Call<'MKDIR'>, 'server' | 'header'>,
  mode: number,
  umask: number,
): NewFile => ({ mode: mode & ~umask, uid: header.uid, gid: header.gid, time: server.now() });

export const MKNOD: Handler<'MKNOD'> = onDirectory((call, directory) => {
  const { name, mode, rdev, umask } = call.fields;
  const file = { ...newFile(call, mode, umask), rdev };
  return entryOr(call.server, make(call.server.store, { directory, name }, file));
});

export const MKDIR: Handler<'MKDIR'> = onDirectory((call, directory) => {
  const { name, mode, umask } = call.fields;
  const file = newFile(call, FileType.directory | (mode & 0o7777), umask);
  return entryOr(call.server, make(call.server.store, { directory, name }, file));
});

export const SYMLINK: Handler<'SYMLINK'> = onDirectory((call, directory) => {
  const { name, target } = call.fields;
  const file = { ...newFile(call, FileType.symlink | 0o777, 0), target };
  return entryOr(call.server, make(call.server.store, { directory, name }, file));
});

export const LINK: Handler<'LINK'> = onDirectory(({ server, fields }, directory) => {
  const inode = nodeOf(server, fields.oldnodeid);
  if (isRefusal(inode)) return inode;
  return entryOr(server, link(server.store, inode, { directory, name: fields.newname }, server.now()));
});

export const CREATE: Handler<'CREATE'> = onDirectory((call, directory) => {
  const { server, fields } = call;
  const file = newFile(call, FileType.file | (fields.mode & 0o7777), fields.umask);
  const made = make(server.store, { directory, name: fields.name }, file);
  return isRefusal(made) ? made : { ...entryOut(server, made), ...openOut(server, made, fields.flags) };
});

export const TMPFILE: Handler<'TMPFILE'> = onDirectory((call, _directory) => {
  const { server, fields } = call;
  const made = makeNameless(
    server.store,
    newFile(call, FileType.file | (fields.mode & 0o7777), fields.umask),
  );
  return { ...entryOut(server, made), ...openOut(server, made, fields.flags) };
});

export const UNLINK: Handler<'UNLINK'> = onDirectory(({ server, fields: { name } }, directory) => {
  const removed = unlink(server.store, { directory, name }, server.now());
  return isRefusal(removed) ? removed : done;
});

export const RMDIR: Handler<'RMDIR'> = onDirectory(({ server, fields: { name } }, directory) => {
  const removed = rmdir(server.store, { directory, name }, server.now());
  return isRefusal(removed) ? removed : done;
});

const move = (
  { server, fields }: Pick<Call<'RENAME'>, 'server' | 'fields'>,
  from: Directory,
  flags: number,
): Refusal | typeof done => {
  const to = directoryOf(server, fields.newdir);
  if (isRefusal(to)) return to;
  const isBoth = (flags & RenameFlag.EXCHANGE) !== 0 && (flags & RenameFlag.NOREPLACE) !== 0;
  if (isBoth || (flags & ~(RenameFlag.EXCHANGE | RenameFlag.NOREPLACE)) !== 0) return refuse('EINVAL');
  const once = (flags & RenameFlag.NOREPLACE) !== 0 ? 'noreplace' : 'replace';
  const moved = rename(server.store, {
    from: { directory: from, name: fields.oldname },
    to: { directory: to, name: fields.newname },
    mode: (flags & RenameFlag.EXCHANGE) !== 0 ? 'exchange' : once,
    time: server.now(),
  });
  return moved ?? done;
};

export const RENAME: Handler<'RENAME'> = onDirectory((call, from) => move(call, from, 0));

export const RENAME2: Handler<'RENAME2'> = onDirectory((call, from) => move(call, from, call.fields.flags));

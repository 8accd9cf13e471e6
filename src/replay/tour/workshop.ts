/** The directory of its own in which a tour changes things, and the calls that change them. */

import { Errno } from '../../base/errno.js';
import type { Answer, Caller, Calls } from './calls.js';
import { S_IFREG } from './file-types.js';
import { close, type OpenFile, open, write } from './files.js';
import { OpenFor } from './open-flags.js';
import type { TourState } from './state.js';

const UMASK = 0o022;

/** Mode of a new node: the kernel applies the umask itself unless the server wants to. */
const modeOf = (caller: Caller, mode: number): number => (caller.has('DONT_MASK') ? mode : mode & ~UMASK);
const fileMode = (caller: Caller): number => S_IFREG | modeOf(caller, 0o666);

/** A name that was made, with its node. */
export interface Made {
  readonly parent: bigint;
  readonly name: string;
  readonly nodeid: bigint;
}

/** A new file that is open. */
export interface MadeFile extends Made {
  readonly file: OpenFile;
}

/** The place where a tour changes things. */
export interface Workshop {
  readonly state: TourState;
  readonly caller: Caller;
  /** Its directory. */
  readonly home: bigint;
  /** Files that stay open when it is left. */
  readonly held: OpenFile[];
}

/** Text that tells by itself from which file and place it comes: lines of 32 bytes with name and position. */
export const textFor = (name: string, length: number): Uint8Array => {
  const line = (at: number): string => `${name.slice(0, 20).padEnd(20)} ${String(at).padStart(10)}\n`;
  const lines = Array.from({ length: Math.ceil(length / 32) }, (_, index) => line(index * 32));
  return Buffer.from(lines.join('')).subarray(0, length);
};

/** Asks for a name before anything is made by it, as the kernel does: 0 when it is free, EEXIST, or what the server says. */
export function* claim(caller: Caller, parent: bigint, name: string): Calls<number> {
  const { errno, fields } = yield* caller.ask('LOOKUP', parent, { name });
  if (errno === Errno.ENOENT || fields?.nodeid === 0n) return 0;
  return errno || Errno.EEXIST;
}

/** Makes a directory; its nodeid, or the errno. */
export function* makeDirectory(
  caller: Caller,
  parent: bigint,
  name: string,
): Calls<Made | { readonly errno: number }> {
  const taken = yield* claim(caller, parent, name);
  if (taken !== 0) return { errno: taken };
  const mode = modeOf(caller, 0o777);
  const { errno, fields } = yield* caller.ask('MKDIR', parent, { name, mode, umask: UMASK });
  return fields === undefined ? { errno: errno || Errno.EIO } : { parent, name, nodeid: fields.nodeid };
}

/** Makes a file and leaves it open for reading and writing; `undefined` when the server refuses. */
export function* makeFile(caller: Caller, parent: bigint, name: string): Calls<MadeFile | undefined> {
  if ((yield* claim(caller, parent, name)) !== 0) return undefined;
  const flags = OpenFor.creating;
  const { errno, fields } = yield* caller.ask('CREATE', parent, {
    name,
    flags,
    mode: fileMode(caller),
    umask: UMASK,
  });
  if (errno === Errno.ENOSYS) return yield* makeAndOpen(caller, parent, name);
  if (fields === undefined) return undefined;
  const { nodeid, fh, openFlags } = fields;
  return { parent, name, nodeid, file: { nodeid, fh, flags, openFlags, isDirectory: false } };
}

/** What the kernel does for a server without CREATE (`fuse_atomic_open`). */
function* makeAndOpen(caller: Caller, parent: bigint, name: string): Calls<MadeFile | undefined> {
  const { fields } = yield* caller.ask('MKNOD', parent, { name, mode: fileMode(caller), umask: UMASK });
  if (fields === undefined) return undefined;
  const { nodeid } = fields;
  const file = yield* open(caller, nodeid, { flags: OpenFor.both, isDirectory: false });
  return file && { parent, name, nodeid, file };
}

/** Makes a file with a text of so many bytes and closes it. */
export function* makeText(caller: Caller, parent: bigint, { name, length }: Text): Calls<Made | undefined> {
  const made = yield* makeFile(caller, parent, name);
  if (made === undefined) return undefined;
  yield* write(caller, made.file, 0n, textFor(name, length));
  yield* close(caller, made.file);
  return made;
}

/** A file to be made; length in bytes. */
export interface Text {
  readonly name: string;
  readonly length: number;
}

/** Renames, by RENAME, or by RENAME2 where there are flags (`fuse_rename2`). */
export function* rename(
  caller: Caller,
  from: Pick<Made, 'parent' | 'name'>,
  to: Pick<Made, 'parent' | 'name'>,
  flags = 0,
): Calls<number> {
  if (flags !== 0 && !caller.sends('RENAME2')) return Errno.EINVAL;
  const names = { newdir: to.parent, oldname: from.name, newname: to.name };
  const answer: Answer<'RENAME' | 'RENAME2'> =
    flags === 0
      ? yield* caller.ask('RENAME', from.parent, names)
      : yield* caller.ask('RENAME2', from.parent, { ...names, flags });
  return answer.errno;
}

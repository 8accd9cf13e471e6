/**
 * What crosses a FUSE server's channel, counted from its system calls: strace looks on, nothing of relight takes part. Names
 * of operations come from the kernel's own header.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The header with `enum fuse_opcode`. */
export const fuseHeader = '/usr/include/linux/fuse.h';

/** What a server read and wrote for one operation; bytes as the calls returned them. */
export interface Counted {
  count: number;
  errors: number;
  toServerBytes: number;
  toKernelBytes: number;
}

/**
 * The server's command under strace, which writes a file `log.TID` for each thread. The server stays the direct child and
 * gets its signals (-D).
 */
export const underStrace = (log: string, command: readonly string[]): string[] => [
  ...['strace', '-D', '-ff', '-qq', '-o', log],
  // Descriptors by what they are, buffers as bytes, and of these as much as says length, operation or error, and unique.
  ...['-y', '-xx', '-s', '16', '-e', 'trace=read,readv,write,writev', '-e', 'signal=none'],
  ...command,
];

interface Call {
  readonly isRead: boolean;
  readonly file: string;
  /** First bytes of the message. */
  readonly head: DataView;
  readonly bytes: number;
}

// read(4<\x73\x6f…>, "\x68\x00…"..., 135168) = 104
// writev(4<\x73\x6f…>, [{iov_base="\x28\x00…", iov_len=16}, …], 2) = 40
const callForm = /^(read|write)v?\((\d+<[^>]*>), (?:\[\{iov_base=)?"((?:\\x[0-9a-f]{2}){16})".* = (\d+)$/;

const callOf = (line: string): Call | undefined => {
  const [, name, file, head, bytes] = callForm.exec(line) ?? [];
  if (file === undefined || head === undefined) return undefined;
  const { buffer } = Uint8Array.from(head.match(/[0-9a-f]{2}/g) ?? [], (pair) => Number.parseInt(pair, 16));
  return { isRead: name === 'read', file, head: new DataView(buffer), bytes: Number(bytes) };
};

const callsIn = (log: string): Call[] =>
  readdirSync(dirname(log))
    .map((name) => join(dirname(log), name))
    .filter((file) => file.startsWith(`${log}.`))
    .flatMap((file) => readFileSync(file, 'latin1').split('\n'))
    .map(callOf)
    .filter((call) => call !== undefined);

/** struct fuse_in_header: len, opcode, unique; struct fuse_out_header: len, error, unique. */
const wordAt = ({ head }: Call): number => head.getInt32(4, true);
const uniqueAt = ({ head }: Call): bigint => head.getBigUint64(8, true);
const isWhole = ({ head, bytes }: Call): boolean => head.getUint32(0, true) === bytes;

const opcodeNames = (): Map<number, string> => {
  const [opcodes = ''] = /enum fuse_opcode \{[^}]*\}/.exec(readFileSync(fuseHeader, 'utf8')) ?? [];
  const found = opcodes.matchAll(/FUSE_(\w+)\s*=\s*(\d+)/g);
  return new Map([...found].map(([, name = '', opcode]) => [Number(opcode), name]));
};

const FUSE_INIT = 26;

/**
 * Everything that the server read from its channel and wrote to it, by operation.
 * @throws Error when a message went another way than by one read and one write of the whole
 */
export const countedCalls = (log: string): Record<string, Counted> => {
  const calls = callsIn(log);
  const channel = calls.find((call) => call.isRead && isWhole(call) && wordAt(call) === FUSE_INIT)?.file;
  const messages = calls.filter(({ file }) => file === channel);
  if (channel === undefined || !messages.every(isWhole)) throw new Error(`${log} shows no whole messages`);
  const names = opcodeNames();
  const byName: Record<string, Counted> = {};
  const byUnique = new Map<bigint, Counted>();
  for (const call of messages.filter(({ isRead }) => isRead)) {
    const name = names.get(wordAt(call)) ?? `opcode ${wordAt(call)}`;
    byName[name] ??= { count: 0, errors: 0, toServerBytes: 0, toKernelBytes: 0 };
    byName[name].count++;
    byName[name].toServerBytes += call.bytes;
    byUnique.set(uniqueAt(call), byName[name]);
  }
  for (const call of messages.filter(({ isRead }) => !isRead)) {
    const counted = byUnique.get(uniqueAt(call));
    if (counted === undefined) throw new Error(`a reply to ${uniqueAt(call)}, which the server never read`);
    if (wordAt(call) < 0) counted.errors++;
    counted.toKernelBytes += call.bytes;
  }
  return byName;
};

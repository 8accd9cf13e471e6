/** Handlers that move the bytes of files. */

import { allocate, copy, read, seek, write } from '../../store/data.js';
import { isRefusal, type Refusal, refuse } from '../../store/refusal.js';
import { type Call, done, type Handler, onHandle } from '../handler.js';
import { wakePolls } from '../polls.js';
import { handleOf, replyLimit, type Server } from '../server.js';

/** Most bytes that one COPY_FILE_RANGE copies; the caller asks again for the rest. */
const COPY_MAX = 16 << 20;

const O_APPEND = 0o2000;

/** No more than a kernel asks for, whatever a size field says. */
export const READ: Handler<'READ'> = onHandle(({ server, fields: { offset, size } }, { inode }) => {
  const data = read({ inode, offset, length: Math.min(size, replyLimit(server)) });
  return isRefusal(data) ? data : { data };
});

/** As pwrite(2) of Linux on a descriptor that was opened to append, which most servers hand the request to: at the end. */
export const WRITE: Handler<'WRITE'> = onHandle(({ server, fields: { offset, data, flags } }, { inode }) => {
  const appends = (flags & O_APPEND) !== 0;
  const size = write(server.store, { inode, offset, bytes: data, appends, time: server.now() });
  if (isRefusal(size)) return size;
  wakePolls(server, inode);
  return { size };
});

export const FALLOCATE: Handler<'FALLOCATE'> = onHandle(({ server, fields }, { inode }) => {
  const { offset, length, mode } = fields;
  return allocate(server.store, { inode, offset, length }, { mode, time: server.now() }) ?? done;
});

export const LSEEK: Handler<'LSEEK'> = onHandle(({ fields: { offset, whence } }, { inode }) => {
  const found = seek(inode, offset, whence);
  return isRefusal(found) ? found : { offset: BigInt(found) };
});

/** Both forms of the operation, which differ in their reply only. */
type Copying = Pick<Call<'COPY_FILE_RANGE'>, 'server' | 'header' | 'fields'>;

const copyRange = ({ server, header, fields }: Copying): number | Refusal => {
  const from = handleOf(server, fields.fhIn, header.nodeid);
  if (isRefusal(from)) return from;
  const to = handleOf(server, fields.fhOut, fields.nodeidOut);
  if (isRefusal(to)) return to;
  if (fields.flags !== 0n) return refuse('EINVAL');
  const length = fields.len > COPY_MAX ? COPY_MAX : Number(fields.len);
  return copied(
    server,
    { inode: from.inode, offset: fields.offIn, length },
    { inode: to.inode, offset: fields.offOut },
  );
};

const copied = (
  server: Server,
  from: Parameters<typeof copy>[1],
  to: { readonly inode: typeof from.inode; readonly offset: bigint },
): number | Refusal => {
  const size = copy(server.store, from, { ...to, time: server.now() });
  if (!isRefusal(size)) wakePolls(server, to.inode);
  return size;
};

export const COPY_FILE_RANGE: Handler<'COPY_FILE_RANGE'> = (call) => {
  const size = copyRange(call);
  return isRefusal(size) ? size : { size };
};

export const COPY_FILE_RANGE_64: Handler<'COPY_FILE_RANGE_64'> = (call) => {
  const size = copyRange(call);
  return isRefusal(size) ? size : { bytesCopied: BigInt(size) };
};

/** Whether the device takes a reply, before anybody looks at what it says (`fuse_dev_do_write`, `fuse_copy_out_args`). */

import { errorOf, OUT_HEADER_SIZE } from '../protocol/header.js';
import { u32At } from '../protocol/raw.js';
import { byDevice, type Refusal } from './refusal.js';
import type { Shape } from './shape.js';

/** Errors from -511 to 0 are taken. */
const BEYOND_ERRORS = 512;

/** What is wrong with a message's header on its own, before its request is looked for. */
export const checkHeader = (bytes: Uint8Array): Refusal | undefined => {
  if (bytes.length < OUT_HEADER_SIZE) return byDevice('short');
  if (u32At(bytes, 0) !== bytes.length) return byDevice('length');
  return undefined;
};

/** What is wrong with a reply's error field. */
export const checkError = (bytes: Uint8Array): Refusal | undefined => {
  const error = errorOf(bytes);
  return error > 0 || error <= -BEYOND_ERRORS ? byDevice('error') : undefined;
};

/** What is wrong with the length of a reply to this request: its caller then gets EIO, the server EINVAL. */
export const checkLength = (shape: Shape, request: Uint8Array, reply: Uint8Array): Refusal | undefined => {
  if (errorOf(reply) !== 0) return reply.length === OUT_HEADER_SIZE ? undefined : byDevice('bodyOnError');
  if (shape.most !== undefined) return between(reply.length, OUT_HEADER_SIZE, shape.most);
  const asked = shape.roomAt === undefined ? 0 : u32At(request, shape.roomAt);
  if (asked === 0 && shape.lengthReply !== undefined) {
    return between(reply.length, shape.lengthReply, shape.lengthReply);
  }
  return between(reply.length, shape.fixed, shape.fixed + Math.max(asked, shape.room));
};

const between = (length: number, least: number, most: number): Refusal | undefined => {
  if (length > most) return byDevice('long', undefined, 'fuse_copy_out_args');
  return length < least ? byDevice('cut', undefined, 'fuse_copy_out_args') : undefined;
};

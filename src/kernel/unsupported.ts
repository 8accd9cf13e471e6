/** Operations that the server answered with ENOSYS once, which the kernel then does without (`fuse_conn.no_open` …). */

import { Errno } from '../base/errno.js';
import { IN_HEADER_SIZE } from '../protocol/header.js';
import { u32At } from '../protocol/raw.js';
import { type Cache, DIRECTORY_TYPE } from './cache.js';
import { nodeAt } from './effects.js';
import type { Shape } from './shape.js';

/** What becomes of a request that is not sent. */
export interface Spared {
  /** What the application sees. */
  readonly errno: number;
  /** Row of the file that was opened without a message. */
  readonly file: number | undefined;
}

const BODY_AT = IN_HEADER_SIZE;

/** The kernel's memory of ENOSYS, for the life of the connection. */
export class Unsupported {
  readonly #cache: Cache;
  readonly #opcodes = new Set<number>();

  constructor(cache: Cache) {
    this.#cache = cache;
  }

  /** Whether an operation is not sent any more. */
  has(shape: Shape): boolean {
    return this.#opcodes.has(shape.operation.opcode);
  }

  /** Remembers an ENOSYS; `undefined` when the kernel does not remember it for this operation. */
  learn(shape: Shape, request: Uint8Array): Spared | undefined {
    if (shape.rule.unsupported === undefined) return undefined;
    this.#opcodes.add(shape.operation.opcode);
    return this.#spare(shape, request, shape.rule.unsupported);
  }

  /** What happens instead of a request; `undefined` when it is to be sent. */
  check(shape: Shape, request: Uint8Array): Spared | undefined {
    if (this.#opcodes.size === 0) return undefined;
    if (this.has(shape)) return this.#spare(shape, request, shape.rule.unsupported ?? Errno.ENOSYS);
    return this.#closeSilently(shape, request);
  }

  #spare(shape: Shape, request: Uint8Array, errno: number): Spared {
    const opens = shape.openAt !== undefined && shape.entryAt === undefined;
    return { errno, file: opens ? this.#openSilently(request) : undefined };
  }

  /** A file without a handle: fh 0 from then on, and no RELEASE (`fuse_file_open`). */
  #openSilently(request: Uint8Array): number | undefined {
    const node = nodeAt(this.#cache, request);
    if (node === undefined) return undefined;
    const directory = this.#cache.nodes.typeOf(node) === DIRECTORY_TYPE;
    const { incarnation } = this.#cache;
    const flags = u32At(request, BODY_AT);
    const file = this.#cache.open({
      node,
      low: 0,
      high: 0,
      directory,
      flags,
      openFlags: 0,
      opener: 0,
      incarnation,
    });
    this.#cache.files.silence(file);
    return file;
  }

  /** RELEASE of a file that was opened without a message is not sent either (`fuse_file_put`). */
  #closeSilently(shape: Shape, request: Uint8Array): Spared | undefined {
    const site = shape.handles.find(({ releases }) => releases);
    const node = site === undefined ? undefined : nodeAt(this.#cache, request);
    if (site === undefined || node === undefined) return undefined;
    const directory = this.#cache.nodes.typeOf(node) === DIRECTORY_TYPE;
    const handle = { low: u32At(request, site.at), high: u32At(request, site.at + 4), node, directory };
    const file = this.#cache.files.find(handle);
    if (file === undefined || !this.#cache.files.isSilent(file)) return undefined;
    this.#cache.close(file);
    return { errno: 0, file: undefined };
  }
}

/**
 * Looks at a running incarnation past the virtual kernel: finds objects by their names with ids that this incarnation hands
 * out, remembers what they were, and looks again later. What it holds is what a stale id must not break.
 */

import type { Rng } from '../base/rng.js';
import { type Scalars, scalarsOf } from '../oracle/fingerprint.js';
import { type DecodedReply, decodeReply } from '../protocol/decode.js';
import { encodeRequest, type RequestDraft } from '../protocol/encode.js';
import { errorOf } from '../protocol/header.js';
import type { Negotiated } from '../protocol/negotiated.js';
import type { OperationName } from '../protocol/operations.js';
import { replyContext } from '../protocol/reply-context.js';
import type { Driver } from './driver.js';

/** What a new incarnation has looked up and opened before old ids are used. */
export const relookups = ['none', 'same', 'shuffled', 'shuffled+open'] as const;
/** See `relookups`. */
export type Relookup = (typeof relookups)[number];

/** An object as the running incarnation knows it. */
export interface LiveObject {
  readonly path: string;
  readonly nodeid: bigint;
  readonly mode: number;
  readonly ino: bigint;
  readonly size: bigint;
  /** What its LOOKUP told. */
  readonly scalars: Scalars;
  /** First bytes of a regular file; empty when it could not be read. */
  readonly head: string;
  /** Open file or directory; `undefined` when it was not opened. */
  readonly fh: bigint | undefined;
}

const TYPE = 0o170000;
const DIRECTORY = 0o040000;
const REGULAR = 0o100000;
const HEAD_BYTES = 64;
const ROOT = 1n;
const O_RDWR = 2;

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
const depthOf = (path: string): number => path.split('/').length;

/** Paths with parents first; names of one level in the wanted order. */
const inOrder = (paths: readonly string[], how: Relookup, rng: Rng): string[] => {
  const ordered = how === 'same' ? [...paths] : rng.shuffle(paths);
  return ordered.sort((a, b) => depthOf(a) - depthOf(b));
};

/** Questions to one incarnation. */
export class Inspector {
  readonly #driver: Driver;
  readonly #negotiated: Negotiated;

  constructor(driver: Driver) {
    this.#driver = driver;
    this.#negotiated = driver.kernel.negotiated;
  }

  /** Looks paths up (from the root, `/` between names) and opens them if wanted; the server may die of it. */
  async look(paths: readonly string[], how: Relookup, rng: Rng): Promise<LiveObject[]> {
    if (how === 'none') return [];
    const nodes = new Map<string, bigint>([['', ROOT]]);
    const found: LiveObject[] = [];
    for (const path of inOrder(paths, how, rng)) {
      const parent = nodes.get(parentOf(path));
      const object = parent === undefined ? undefined : await this.#lookup(parent, path);
      if (object === undefined) continue;
      nodes.set(path, object.nodeid);
      found.push(object);
    }
    return how === 'shuffled+open' ? this.#open(found) : found;
  }

  /** Objects as they are now by the ids given before; those that no longer answer are left out. */
  async again(objects: readonly LiveObject[]): Promise<Map<string, LiveObject>> {
    const now = new Map<string, LiveObject>();
    for (const object of objects) {
      const reply = await this.#ask({ name: 'GETATTR', header: { unique: 0n, nodeid: object.nodeid } });
      if (reply === undefined || !('attr' in reply.fields)) continue;
      const { ino, mode, size } = reply.fields.attr;
      if (ino === undefined || mode === undefined || size === undefined) continue;
      const head = object.fh === undefined ? object.head : await this.#head(object.nodeid, object.fh, mode);
      now.set(object.path, { ...object, ino, mode, size, head });
    }
    return now;
  }

  /** Whether the server still answers for its root. */
  async isAlive(): Promise<boolean> {
    const request = encodeRequest(
      { name: 'GETATTR', header: { unique: 0n, nodeid: ROOT } },
      this.#negotiated,
    );
    return (await this.#driver.ask(request)) instanceof Uint8Array;
  }

  /** First bytes of regular files, read through a handle of their own. */
  async withHeads(objects: readonly LiveObject[]): Promise<LiveObject[]> {
    const read: LiveObject[] = [];
    for (const object of objects) read.push({ ...object, head: await this.#headByOpen(object) });
    return read;
  }

  async #headByOpen({ nodeid, mode }: LiveObject): Promise<string> {
    if ((mode & TYPE) !== REGULAR) return '';
    const fh = await this.#openNode('OPEN', nodeid);
    if (fh === undefined) return '';
    const head = await this.#head(nodeid, fh, mode);
    await this.#ask({ name: 'RELEASE', header: { unique: 0n, nodeid }, fields: { fh } });
    return head;
  }

  async #lookup(parent: bigint, path: string): Promise<LiveObject | undefined> {
    const reply = await this.#ask({
      name: 'LOOKUP',
      header: { unique: 0n, nodeid: parent },
      fields: { name: nameOf(path) },
    });
    if (reply === undefined || reply.name !== 'LOOKUP' || !reply.ok || reply.fields.nodeid === 0n)
      return undefined;
    const { nodeid, attr } = reply.fields;
    const { mode, ino, size } = attr;
    return { path, nodeid, mode, ino, size, scalars: scalarsOf(attr), head: '', fh: undefined };
  }

  async #open(objects: readonly LiveObject[]): Promise<LiveObject[]> {
    const opened: LiveObject[] = [];
    for (const object of objects) {
      const op = { [DIRECTORY]: 'OPENDIR', [REGULAR]: 'OPEN' } as const;
      const name = op[(object.mode & TYPE) as keyof typeof op];
      const fh = name === undefined ? undefined : await this.#openToWrite(name, object.nodeid);
      const head = fh === undefined ? '' : await this.#head(object.nodeid, fh, object.mode);
      opened.push({ ...object, fh, head });
    }
    return opened;
  }

  /** For writing where the server allows it: a stale handle can write only into what is open for it. */
  async #openToWrite(name: 'OPEN' | 'OPENDIR', nodeid: bigint): Promise<bigint | undefined> {
    const writable = name === 'OPEN' ? await this.#openNode(name, nodeid, O_RDWR) : undefined;
    return writable ?? this.#openNode(name, nodeid);
  }

  async #openNode(name: 'OPEN' | 'OPENDIR', nodeid: bigint, flags = 0): Promise<bigint | undefined> {
    const reply = await this.#ask({ name, header: { unique: 0n, nodeid }, fields: { flags } });
    return reply?.ok && 'fh' in reply.fields ? (reply.fields.fh as bigint) : undefined;
  }

  async #head(nodeid: bigint, fh: bigint, mode: number): Promise<string> {
    if ((mode & TYPE) !== REGULAR) return '';
    const fields = { fh, offset: 0n, size: HEAD_BYTES };
    const reply = await this.#ask({ name: 'READ', header: { unique: 0n, nodeid }, fields });
    return reply?.ok && 'data' in reply.fields
      ? Buffer.from(reply.fields.data as Uint8Array).toString('latin1')
      : '';
  }

  /** A good reply, or nothing: refused, or the server is gone. */
  async #ask(draft: RequestDraft<OperationName>): Promise<DecodedReply | undefined> {
    const request = encodeRequest(draft, this.#negotiated);
    const answer = await this.#driver.ask(request);
    if (!(answer instanceof Uint8Array) || errorOf(answer) !== 0) return undefined;
    const reply = decodeReply(answer, replyContext(request, this.#negotiated), this.#negotiated);
    return reply.kind === 'reply' ? reply : undefined;
  }
}

/** What differs between two looks at the same objects, in words; empty when nothing does. */
export const changesBetween = (
  before: readonly LiveObject[],
  now: ReadonlyMap<string, LiveObject>,
): { readonly path: string; readonly text: string }[] =>
  before.flatMap((was) => {
    const is = now.get(was.path);
    if (is === undefined) return [{ path: was.path, text: `${was.path} no longer answers by its new id` }];
    if (is.ino !== was.ino || is.mode !== was.mode)
      return [
        {
          path: was.path,
          text: `${was.path} is another object by its new id (inode ${was.ino} then ${is.ino})`,
        },
      ];
    if (is.size !== was.size)
      return [{ path: was.path, text: `${was.path}: ${was.size} bytes became ${is.size}` }];
    if (is.head !== was.head)
      return [
        {
          path: was.path,
          text: `${was.path}: its first bytes became ${JSON.stringify(is.head.slice(0, 24))}`,
        },
      ];
    return [];
  });

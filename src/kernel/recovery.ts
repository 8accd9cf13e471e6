/** One recovery after a restart: draws a strategy's messages as there is room, and keeps the tally. */

import { Errno } from '../base/errno.js';
import { operationNamed } from '../protocol/operations.js';
import { Gate } from './admission.js';
import type { Cache } from './cache.js';
import { readAttr } from './entry.js';
import type { Answer } from './in-flight.js';
import { getattrMessage, lookupMessage } from './messages.js';
import type { Outbox } from './outbox.js';
import type { Shape } from './shape.js';
import type { Ask, Scene, Strategy } from './strategies/strategy.js';
import { Counting, type Tally } from './tally.js';
import { Walker } from './walker.js';

/** Says whether a node that the strategy keeps is another object in truth; the oracle knows. */
export type Judge = (node: number, reply: Uint8Array) => boolean;

/** What a recovery works with. */
export interface RecoveryParts {
  readonly cache: Cache;
  readonly outbox: Outbox;
  readonly strategy: Strategy;
  readonly judge: Judge | undefined;
  /** See `WalkHost`. */
  readonly successors: Map<number, number>;
  /** Shape of an operation under the present session. */
  shape(opcode: number): Shape | undefined;
  readonly minor: number;
}

const GETATTR = operationNamed('GETATTR').opcode;
const LOOKUP = operationNamed('LOOKUP').opcode;

/** The recovery of one restart, with what it goes on doing on the next use of old nodes. */
export class Recovery {
  readonly strategy: Strategy;
  readonly gate: Gate;
  readonly #parts: RecoveryParts;
  readonly #walker: Walker;
  readonly #counting = new Counting();
  #steps: Iterator<Ask | undefined> | undefined;
  #outstanding = 0;
  #drawn = false;
  #done = false;

  constructor(parts: RecoveryParts) {
    this.#parts = parts;
    this.strategy = parts.strategy;
    this.#counting.begin(parts.cache.nodes.size - 1);
    this.#walker = new Walker({
      cache: parts.cache,
      successors: parts.successors,
      onUse: () => parts.strategy.onUse,
      quiet: () => parts.strategy.letGo === 'withheld',
      lookup: (directory, dentry, answered) => this.#send(this.#lookup(directory, dentry, answered), LOOKUP),
      survived: (node, reply) => this.#survived(node, reply),
      lost: (node) => this.#lost(node),
      moved: (from, to) => this.#moved(from, to),
    });
    this.gate = new Gate(parts.cache, this.#walker, parts.strategy);
  }

  /** The counts now. */
  get tally(): Tally {
    return this.#counting.read();
  }

  /** Sends up to `room` messages more; true once, when the last of them is answered. */
  pull(room: number): boolean {
    // Not before the new server has answered INIT: the strategy may change the caches at once.
    this.#steps ??= this.strategy.recover(this.#scene())[Symbol.iterator]();
    for (let left = room; left > 0 && !this.#drawn; left--) {
      const step = this.#steps.next();
      this.#drawn = step.done === true;
      if (step.done === true || step.value === undefined) break;
      this.#send(step.value, u32Opcode(step.value.bytes));
    }
    if (!this.#drawn || this.#done || this.#outstanding > 0) return false;
    this.#done = true;
    return true;
  }

  /** The server died again: nothing more comes of this recovery. */
  abort(): void {
    this.#drawn = true;
    this.#done = true;
    this.#walker.abort();
  }

  #scene(): Scene {
    const { cache, minor } = this.#parts;
    return {
      cache,
      getattr: (node, answered) => ({
        bytes: getattrMessage({ low: cache.nodes.lowOf(node), high: cache.nodes.highOf(node) }, minor),
        answered: (answer) => answered(this.#checkAttr(node, answer)),
      }),
      lookup: (directory, dentry, answered) => this.#lookup(directory, dentry, answered),
      outstanding: () => this.#outstanding,
      survived: (node, reply) => this.#survived(node, reply),
      lost: (node) => this.#lost(node),
    };
  }

  #lookup(directory: number, dentry: number, answered: (answer: Answer) => void): Ask {
    const { names, nodes, dentries } = this.#parts.cache;
    const parent = { low: nodes.lowOf(directory), high: nodes.highOf(directory) };
    return { bytes: lookupMessage(parent, names.read(dentries.nameOf(dentry))), answered };
  }

  #send(ask: Ask, opcode: number): void {
    const shape = this.#parts.shape(opcode);
    this.#outstanding++;
    if (shape !== undefined) this.#counting.sent(shape.name);
    this.#parts.outbox.send(ask.bytes, {
      shape,
      cause: 'recovery',
      answered: (answer) => {
        this.#outstanding--;
        ask.answered(answer);
      },
    });
  }

  /** Impossible attributes or another type count as EIO (`fuse_do_getattr`). */
  #checkAttr(node: number, answer: Answer): Answer {
    const site = this.#parts.shape(GETATTR)?.attr;
    if (answer.errno !== 0 || site === undefined) return answer;
    const { type, invalid } = readAttr(answer.reply, site);
    const good = !invalid && type === this.#parts.cache.nodes.typeOf(node);
    return good ? answer : { ...answer, errno: Errno.EIO };
  }

  #survived(node: number, reply: Uint8Array): void {
    const { cache, judge } = this.#parts;
    cache.nodes.confirm(node, cache.incarnation);
    if (node === cache.root || cache.nodes.fateOf(node) === 'survived') return;
    cache.nodes.setFate(node, 'survived');
    this.#counting.decided('survived', judge?.(node, reply) === true);
  }

  #lost(node: number): void {
    const { nodes, root } = this.#parts.cache;
    nodes.makeBad(node, node === root ? 'keep' : 'unhash');
    if (node === root || nodes.fateOf(node) === 'lost') return;
    nodes.setFate(node, 'lost');
    this.#counting.decided('lost');
  }

  #moved(from: number, to: number): void {
    const { nodes } = this.#parts.cache;
    const minted = nodes.incarnationOf(from);
    this.#parts.outbox.put({ kind: 'moved', from: nodes.idOf(from), minted, to: nodes.idOf(to) });
    if (!nodes.isBad(from)) this.#lost(from);
  }
}

const u32Opcode = (bytes: Uint8Array): number => (bytes[4] ?? 0) | ((bytes[5] ?? 0) << 8);

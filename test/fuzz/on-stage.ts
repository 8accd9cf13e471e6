/** A small plan for a memfs, made by hand: three files and a directory looked up and opened in both lives, and cases about them. */

import type { Case, Relation } from '#relight/fuzz/case.js';
import { type Preparation, preparingStep } from '#relight/fuzz/preparation.js';
import { Composer } from '#relight/plan/compose.js';
import type { Plan } from '#relight/plan/plan.js';
import { encodeRequest, type RequestDraft } from '#relight/protocol/encode.js';
import { replyIdMap, requestIdMap } from '#relight/protocol/id-sites.js';
import { newestNegotiated } from '#relight/protocol/negotiated.js';
import { type Operation, type OperationName, operationNamed } from '#relight/protocol/operations.js';
import { DIRECTORY, FILE } from '../plan/conversation.js';
import { relightMain } from '../support/root.js';

/** A memfs with the files and ids that options say. */
export const memfs = (...options: string[]): string[] => [
  ...[process.execPath, relightMain, 'specimen', 'memfs'],
  ...options,
  '{mnt}',
];

/** Symbols of an object in both lives. */
export interface Actor {
  readonly old: { readonly node: number; readonly handle: number };
  readonly live: { readonly node: number; readonly handle: number };
}

/** A draft of a request, its ids still 0. */
export const frame = <N extends OperationName>(name: N, fields: object = {}): Uint8Array =>
  encodeRequest({ name, header: { unique: 0n }, fields } as RequestDraft, newestNegotiated);

const patch = (op: Operation, kind: 'node' | 'handle', symbol: number) => {
  const place = requestIdMap(op, newestNegotiated).places.find(({ use }) => use.kind === kind);
  if (place === undefined) throw new Error(`${op.name} has no ${kind}`);
  return { kind: 'symbol', use: place.use, offset: place.at, symbol } as const;
};

const mint = (op: Operation, symbol: number) => {
  const place = replyIdMap(op, newestNegotiated).places[0];
  if (place === undefined) throw new Error(`${op.name} mints nothing`);
  return { use: place.use, offset: place.at, symbol };
};

/** Composes the lives: `paths` are names in the root with their types, in the order in which the first life looks them up. */
export class Play {
  readonly composer = new Composer({ negotiated: newestNegotiated, init: undefined, initReply: undefined });
  readonly actors = new Map<string, Actor>();

  /** `reversed`: the second life looks up and opens in the reverse order. */
  constructor(names: Readonly<Record<string, 'file' | 'directory'>>, { reversed = true } = {}) {
    for (const [name, type] of Object.entries(names)) {
      const held = () => {
        const node = this.composer.symbol({
          kind: 'node',
          path: `/${name}`,
          type: (type === 'file' ? FILE : DIRECTORY) & 0o170000,
        });
        return { node, handle: this.composer.symbol({ kind: 'handle', node }) };
      };
      this.actors.set(name, { old: held(), live: held() });
    }
    const order = [...this.actors];
    for (const [name, { old }] of order) this.#meet(0, name, { held: old, type: names[name] });
    for (const [name, { live }] of reversed ? order.reverse() : order)
      this.#meet(1, name, { held: live, type: names[name] });
  }

  /** The plan of the lives without any case. */
  plan(): Plan {
    return this.composer.plan();
  }

  /** An object by its name. */
  actor(name: string): Actor {
    const found = this.actors.get(name);
    if (found === undefined) throw new Error(`nobody is called ${name}`);
    return found;
  }

  #meet(
    incarnation: number,
    name: string,
    { held, type = 'file' }: { held: Actor['old']; type?: string | undefined },
  ) {
    const lookup = operationNamed('LOOKUP');
    const open = operationNamed(type === 'file' ? 'OPEN' : 'OPENDIR');
    const found = { bytes: frame('LOOKUP', { name }), patches: [patch(lookup, 'node', 0)] };
    this.composer.step({ incarnation, ...found, mints: [mint(lookup, held.node)] });
    const opened = {
      bytes: frame(open.name, { flags: type === 'file' ? 2 : 0 }),
      patches: [patch(open, 'node', held.node)],
    };
    this.composer.step({ incarnation, ...opened, mints: [mint(open, held.handle)] });
  }
}

/** The two lives of a plan, as a stage plays them. */
export const preparationOf = ({ symbols, steps, init, negotiated }: Plan): Preparation => ({
  symbols,
  init,
  lives: [0, 1].map((life) =>
    [...steps]
      .filter(({ incarnation }) => incarnation === life)
      .map((step) => preparingStep(step, negotiated)),
  ),
});

/** A case of one request about a node, and a handle where the operation has one. */
export const caseOf = (
  name: OperationName,
  { node, handle }: { readonly node: number; readonly handle?: number },
  { fields = {}, relation = 'stale', meant = [] }: CaseOptions = {},
): Case => {
  const op = operationNamed(name);
  const patches = [patch(op, 'node', node), ...(handle === undefined ? [] : [patch(op, 'handle', handle)])];
  const request = { op, bytes: frame(name, fields), patches, resent: false };
  return { mutator: 'test.wrong', relation, op: name, requests: [request], wrong: 0, meant };
};

interface CaseOptions {
  readonly fields?: object;
  readonly relation?: Relation;
  readonly meant?: readonly number[];
}

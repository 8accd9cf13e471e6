/** The symbols of a plan's text: declared in lines of their own, referred to in steps. */

import { ROOT_ID } from '../../base/ids.js';
import { type PlanSymbol, ROOT_SYMBOL } from '../plan.js';
import { Facts } from './facts.js';
import { Line } from './line.js';
import { parseBig } from './numbers.js';
import { parseReference, type Reference, symbolText } from './references.js';

/** A reference to a symbol. */
export type SymbolReference = Extract<Reference, { symbol: number }>;

interface Declared {
  readonly kind: 'node' | 'handle';
  readonly recorded: bigint;
  readonly node: number | undefined;
  readonly path: string | undefined;
  /** Number of the step in the text. */
  readonly by: number | undefined;
  readonly generation: bigint | undefined;
  readonly type: number | undefined;
  readonly line: Line;
}

/** Index in the plan of a step that the text calls by a number. */
export type IndexOfStep = (label: number, line: Line) => number;

interface Resolving {
  readonly indexes: ReadonlyMap<number, number>;
  readonly indexOf: IndexOfStep;
}

/** Symbols by the number that the text gives them. */
export class SymbolList {
  readonly #declared = new Map<number, Declared>();

  constructor() {
    const line = new Line('', 'root');
    const none = { node: undefined, by: undefined, generation: undefined, type: undefined };
    this.#declared.set(ROOT_SYMBOL, { kind: 'node', recorded: ROOT_ID, path: '/', ...none, line });
  }

  /** Reads the rest of a line that begins with `node` or `handle`. */
  declare(kind: 'node' | 'handle', line: Line): void {
    const { symbol } = this.#reference(kind, line);
    if (this.#declared.has(symbol))
      line.fail('a symbol that is not declared yet', symbolText({ kind, id: symbol }));
    const recorded = line.parsed('the recorded number', parseBig);
    const node = kind === 'handle' ? this.#declaredNode(line) : undefined;
    const path = kind === 'node' && line.isAtWord ? line.string('a path') : undefined;
    const facts = new Facts(line, ['by', 'generation', 'type']);
    this.#declared.set(symbol, {
      kind,
      recorded: BigInt.asUintN(64, recorded),
      node,
      path,
      by: facts.optional('by'),
      generation: facts.optionalBig('generation'),
      type: facts.optional('type'),
      line,
    });
  }

  /** The recorded number of a symbol; ends with an error when it is not declared, or is of the other kind. */
  recordedOf({ kind, symbol }: SymbolReference, line: Line): bigint {
    const declared = this.#declared.get(symbol);
    if (declared?.kind === kind) return declared.recorded;
    return line.fail(`a ${kind} that a line above declares`, symbolText({ kind, id: symbol }));
  }

  /** All symbols in the order of their numbers, which close up where some are missing. */
  finish(indexOf: IndexOfStep): PlanSymbol[] {
    const indexes = this.indexes();
    return [...this.#declared]
      .map(([number, declared]) => this.#symbol(number, declared, { indexes, indexOf }))
      .sort((a, b) => a.id - b.id);
  }

  /** Index in the plan of each number that the text uses. */
  indexes(): ReadonlyMap<number, number> {
    const numbers = [...this.#declared.keys()].sort((a, b) => a - b);
    return new Map(numbers.map((number, index) => [number, index]));
  }

  #symbol(number: number, declared: Declared, { indexes, indexOf }: Resolving): PlanSymbol {
    const { kind, recorded, node, by, generation, type, line } = declared;
    const origin = by === undefined ? 'earlier' : 'step';
    return {
      id: indexes.get(number) ?? 0,
      kind,
      origin: number === ROOT_SYMBOL ? 'root' : origin,
      mintedBy: by === undefined ? undefined : indexOf(by, line),
      node: node === undefined ? undefined : indexes.get(node),
      path: node === undefined ? declared.path : this.#declared.get(node)?.path,
      type,
      recorded,
      generation,
    };
  }

  #declaredNode(line: Line): number {
    const reference = this.#reference('node', line);
    this.recordedOf(reference, line);
    return reference.symbol;
  }

  #reference(kind: 'node' | 'handle', line: Line): SymbolReference {
    return line.parsed(kind === 'node' ? '%n and a number' : '%h and a number', (text) => {
      const reference = parseReference(text);
      return reference?.kind === kind && 'symbol' in reference ? reference : undefined;
    });
  }
}

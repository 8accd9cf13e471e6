/** The symbols of a plan's text: declared in lines of their own, referred to in steps. */

import { ROOT_ID } from '../../base/ids.js';
import {
  type MemoryPlace,
  type MemorySpot,
  memoryPlaces,
  type Origin,
  type PlanSymbol,
  ROOT_SYMBOL,
} from '../plan.js';
import { Facts } from './facts.js';
import { Line } from './line.js';
import { parseBig } from './numbers.js';
import { parseReference, type Reference, type SymbolKind, symbolText } from './references.js';

/** A reference to a symbol. */
export type SymbolReference = Extract<Reference, { symbol: number }>;

interface Declared {
  readonly kind: SymbolKind;
  readonly recorded: bigint;
  readonly node: number | undefined;
  readonly path: string | undefined;
  /** Number of the step in the text. */
  readonly by: number | undefined;
  readonly generation: bigint | undefined;
  readonly type: number | undefined;
  /** Only of an address in memory. */
  readonly spot?: MemorySpot;
  readonly line: Line;
}

/** Index in the plan of a step that the text calls by a number. */
export type IndexOfStep = (label: number, line: Line) => number;

interface Resolving {
  readonly indexes: ReadonlyMap<number, number>;
  readonly indexOf: IndexOfStep;
}

const nothing = { node: undefined, path: undefined, by: undefined, generation: undefined, type: undefined };

const isPlace = (text: string): text is MemoryPlace => memoryPlaces.some((place) => place === text);

/** Symbols by the number that the text gives them. */
export class SymbolList {
  readonly #declared = new Map<number, Declared>();

  constructor() {
    const line = new Line('', 'root');
    this.#declared.set(ROOT_SYMBOL, { ...nothing, kind: 'node', recorded: ROOT_ID, path: '/', line });
  }

  /** Reads the rest of a line that begins with `node` or `handle`. */
  declare(kind: 'node' | 'handle', line: Line): void {
    const symbol = this.#newSymbol(kind, line);
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

  /** Reads the rest of a line that begins with `memory`. */
  declareMemory(line: Line): void {
    const symbol = this.#newSymbol('memory', line);
    const place = line.parsed(`one of ${memoryPlaces.join(', ')}`, (text) =>
      isPlace(text) ? text : undefined,
    );
    const incarnation = new Facts(line, ['incarnation']).number('incarnation');
    const spot = { place, incarnation };
    this.#declared.set(symbol, { ...nothing, kind: 'memory', recorded: 0n, spot, line });
  }

  /** The recorded number of a symbol; ends with an error when it is not declared, or is of the other kind. */
  recordedOf({ kind, symbol }: SymbolReference, line: Line): bigint {
    const declared = this.#declared.get(symbol);
    if (declared?.kind === kind) return declared.recorded;
    return line.fail(`a ${kind} that a line above declares`, symbolText(kind, symbol));
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
    const { kind, recorded, node, by, generation, type, spot, line } = declared;
    return {
      id: indexes.get(number) ?? 0,
      kind: kind === 'handle' ? 'handle' : 'node',
      origin: originOf(number, declared),
      mintedBy: by === undefined ? undefined : indexOf(by, line),
      node: node === undefined ? undefined : indexes.get(node),
      path: node === undefined ? declared.path : this.#declared.get(node)?.path,
      type,
      recorded,
      generation,
      ...(spot === undefined ? {} : { spot }),
    };
  }

  #newSymbol(kind: SymbolKind, line: Line): number {
    const { symbol } = this.#reference(kind, line);
    if (this.#declared.has(symbol)) line.fail('a symbol that is not declared yet', symbolText(kind, symbol));
    return symbol;
  }

  #declaredNode(line: Line): number {
    const reference = this.#reference('node', line);
    this.recordedOf(reference, line);
    return reference.symbol;
  }

  #reference(kind: SymbolKind, line: Line): SymbolReference {
    return line.parsed(`${symbolText(kind, '')} and a number`, (text) => {
      const reference = parseReference(text);
      const isSymbol = reference?.kind === kind && 'symbol' in reference && reference.shift === undefined;
      return isSymbol ? reference : undefined;
    });
  }
}

const originOf = (number: number, { kind, by }: Declared): Origin => {
  if (number === ROOT_SYMBOL) return 'root';
  if (kind === 'memory') return 'memory';
  return by === undefined ? 'earlier' : 'step';
};

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Cache } from '#relight/kernel/cache.js';

const S_IFDIR = 0x4000;
const S_IFREG = 0x8000;

/** The same rules over plain maps: nodes by number, names by path. */
class Model {
  readonly nodes = new Map<number, { nlookup: number; directory: boolean }>([
    [1, { nlookup: 1, directory: true }],
  ]);
  readonly names = new Map<string, number>();

  reachable(id: number): boolean {
    return id === 1 || [...this.names.values()].includes(id);
  }

  isWithin(id: number, directory: number): boolean {
    if (id === directory) return true;
    const name = [...this.names].find(([, child]) => child === id)?.[0];
    return name !== undefined && this.isWithin(Number(name.split('/')[0]), directory);
  }

  drop(name: string, forgotten: string[], held: number): void {
    const id = this.names.get(name);
    this.names.delete(name);
    if (id === undefined || this.reachable(id)) return;
    for (const below of [...this.names.keys()].filter((key) => key.startsWith(`${id}/`))) {
      this.drop(below, forgotten, held);
    }
    if (id === held) return;
    forgotten.push(`${id}*${this.nodes.get(id)?.nlookup}`);
    this.nodes.delete(id);
  }

  lookup(parent: number, name: string, id: number, forgotten: string[]): void {
    const directory = id % 2 === 0;
    const node = this.nodes.get(id) ?? { nlookup: 0, directory };
    node.nlookup++;
    this.nodes.set(id, node);
    const key = `${parent}/${name}`;
    if (this.names.get(key) === id) return;
    if (directory) {
      if (this.isWithin(parent, id)) return;
      for (const [alias, child] of [...this.names]) if (child === id) this.names.delete(alias);
    }
    this.drop(key, forgotten, id);
    this.names.set(key, id);
  }
}

interface Both {
  readonly cache: Cache;
  readonly model: Model;
  readonly forgotten: string[];
}

const drain = (cache: Cache): string[] => {
  const out: string[] = [];
  for (let forget = cache.forgets.shift(); forget !== undefined; forget = cache.forgets.shift()) {
    out.push(`${forget.low}*${forget.nlookup}`);
  }
  return out;
};

const place = (cache: Cache, parent: number, name: string) => {
  const row = cache.nodes.locate(parent, 0);
  if (row === undefined) throw new Error(`the model has node ${parent}, the table has not`);
  return { parent: row, name: cache.names.intern(new TextEncoder().encode(name)) };
};

const agree = ({ cache, model, forgotten }: Both): void => {
  expect(drain(cache).sort()).toEqual(forgotten.splice(0).sort());
  expect(cache.nodes.size).toBe(model.nodes.size);
  expect(cache.dentries.size).toBe(model.names.size);
  for (const [id, { nlookup }] of model.nodes) {
    const row = cache.nodes.locate(id, 0);
    expect(row === undefined ? undefined : cache.nodes.nlookupOf(row)).toBe(nlookup);
  }
  for (const [key, id] of model.names) {
    const [parent = '', name = ''] = key.split('/');
    const dentry = cache.dentries.find(
      ...(Object.values(place(cache, Number(parent), name)) as [number, number]),
    );
    const node = dentry === undefined ? undefined : cache.dentries.nodeOf(dentry);
    expect(node === undefined ? undefined : cache.nodes.lowOf(node)).toBe(id);
  }
};

class Lookup implements fc.Command<Model, Both> {
  constructor(
    readonly parent: number,
    readonly name: string,
    readonly id: number,
  ) {}
  check(model: Model): boolean {
    const looping = this.id % 2 === 0 && model.isWithin(this.parent, this.id);
    return model.nodes.get(this.parent)?.directory === true && !looping;
  }
  run(model: Model, both: Both): void {
    const { cache } = both;
    const type = this.id % 2 === 0 ? S_IFDIR : S_IFREG;
    const at = place(cache, this.parent, this.name);
    const { node } = cache.get({ low: this.id, high: 0, generation: 0, type });
    cache.splice(at, node);
    model.lookup(this.parent, this.name, this.id, both.forgotten);
    agree(both);
  }
  toString = (): string => `lookup(${this.parent}/${this.name} = ${this.id})`;
}

class Unlink implements fc.Command<Model, Both> {
  constructor(
    readonly parent: number,
    readonly name: string,
  ) {}
  check(model: Model): boolean {
    return model.names.has(`${this.parent}/${this.name}`);
  }
  run(model: Model, both: Both): void {
    both.cache.dropAt(place(both.cache, this.parent, this.name));
    model.drop(`${this.parent}/${this.name}`, both.forgotten, 0);
    agree(both);
  }
  toString = (): string => `unlink(${this.parent}/${this.name})`;
}

class Rename implements fc.Command<Model, Both> {
  constructor(
    readonly from: readonly [number, string],
    readonly to: readonly [number, string],
  ) {}
  check(model: Model): boolean {
    const id = model.names.get(this.from.join('/'));
    if (id === undefined || !model.nodes.get(this.to[0])?.directory) return false;
    return !model.isWithin(this.to[0], id) && model.names.get(this.to.join('/')) !== id;
  }
  run(model: Model, both: Both): void {
    const { cache } = both;
    cache.move(place(cache, ...this.from), place(cache, ...this.to), false);
    const id = model.names.get(this.from.join('/'));
    model.names.delete(this.from.join('/'));
    model.drop(this.to.join('/'), both.forgotten, id ?? 0);
    if (id !== undefined) model.names.set(this.to.join('/'), id);
    agree(both);
  }
  toString = (): string => `rename(${this.from.join('/')} -> ${this.to.join('/')})`;
}

const anId = fc.integer({ min: 2, max: 12 });
const aParent = fc.constantFrom(1, 2, 4, 6, 8);
const aName = fc.constantFrom('a', 'b', 'c');
const at = fc.tuple(aParent, aName);
const commands = [
  fc.tuple(aParent, aName, anId).map(([parent, name, id]) => new Lookup(parent, name, id)),
  at.map(([parent, name]) => new Unlink(parent, name)),
  fc.tuple(at, at).map(([from, to]) => new Rename(from, to)),
];

describe('cache', () => {
  test('does what the same rules over plain maps do', () => {
    fc.assert(
      fc.property(fc.commands(commands, { maxCommands: 80, size: 'max' }), (script) => {
        const model = new Model();
        fc.modelRun(() => ({ model, real: { cache: new Cache('automatic'), model, forgotten: [] } }), script);
      }),
      { numRuns: 300 },
    );
  });
});

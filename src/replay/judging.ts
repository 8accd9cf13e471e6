/** Turns what happened to a request with stale ids into a judgement of the oracle, and keeps them all. */

import { nodeId } from '../base/ids.js';
import type { Replied } from '../kernel/conversation.js';
import { Identities } from '../oracle/identity.js';
import { judge } from '../oracle/judge.js';
import type { Outcome, Probe, Scene, StaleId } from '../oracle/probe.js';
import type { ObjectKey } from '../oracle/seen.js';
import type { Judgement } from '../oracle/verdict.js';
import { ROOT_SYMBOL, type Step, type SymbolPatch } from '../plan/plan.js';
import { decodeRequest } from '../protocol/decode.js';
import { nodeidOf, opcodeOf } from '../protocol/header.js';
import { idSites, requestIdMap } from '../protocol/id-sites.js';
import type { Fields } from '../protocol/layout.js';
import { operationOf } from '../protocol/operations.js';
import { mapsOf } from '../transport/proc.js';
import type { Driver } from './driver.js';
import type { Subjects } from './evidence.js';
import { type PlanState, staleSymbols } from './plan-source.js';
import type { ReadyProbe } from './probes.js';

/** The judgements of one replay. */
export class Judging {
  readonly identities: Identities;
  readonly #state: PlanState;
  readonly #driver: Driver;
  readonly #all: Judgement[] = [];
  /** Objects at paths that the plan never looked up. */
  readonly #added = new Map<string, ObjectKey>();
  #maps: { readonly pid: number; readonly ranges: ReturnType<typeof mapsOf> } | undefined;

  constructor(state: PlanState, driver: Driver) {
    this.#state = state;
    this.#driver = driver;
    const { negotiated } = state.plan;
    this.identities = new Identities({
      negotiated,
      nameOf: (key) => this.nameOf(key),
      stepAt: (index) => state.plan.steps.at(index),
    });
  }

  /** Every judgement so far. */
  get all(): readonly Judgement[] {
    return this.#all;
  }

  /** How people call a symbol. */
  nameOf(symbol: number): string {
    const { path, kind } = this.#state.plan.symbols.at(symbol) ?? { path: undefined, kind: 'node' };
    return path === undefined || path === '' ? `${kind} %${symbol}` : path;
  }

  /** What a reply with valid ids told. */
  learn(step: Step, replied: Replied): void {
    if (replied.errno === 0) this.identities.observe(step.index, replied.reply, this.#state.incarnation);
  }

  /** Object at a path; one of its own when the plan has none there. */
  readonly keyOf = (path: string): ObjectKey => {
    const known = this.identities.keyAt(path) ?? this.#added.get(path);
    if (known !== undefined) return known;
    const key = this.identities.add(path);
    this.#added.set(path, key);
    return key;
  };

  /** What the oracle knows besides a request and what came of it. */
  scene(): Scene {
    const { negotiated } = this.#driver.kernel;
    return { identities: this.identities, negotiated, maps: this.#ranges() };
  }

  /** Judges an outcome without keeping it. */
  judge(probe: Probe, outcome: Outcome): Judgement {
    return judge(probe, outcome, this.scene());
  }

  /** Keeps a judgement. */
  keep(judgement: Judgement): void {
    this.#all.push(judgement);
  }

  /** A step of the plan as the oracle sees it. `request` as it was sent: the kernel may have found a node anew. */
  ofStep(step: Step, request: Uint8Array = step.template): Probe {
    const sent = new Set(staleSymbols(step, this.#state));
    const stale = step.patches.flatMap((patch) =>
      patch.kind === 'symbol' && sent.has(patch.symbol) && this.#isAt(patch, request, step)
        ? [patch.symbol]
        : [],
    );
    const inHeader = step.patches.find((patch) => patch.kind === 'symbol' && patch.use.part === 'header');
    const child = step.mints.find(({ use }) => use.kind === 'node' && use.each === undefined)?.symbol;
    const subject = child ?? (inHeader?.kind === 'symbol' ? inHeader.symbol : undefined);
    return { request, stale: stale.map((symbol) => this.#stale(symbol)), subject, recorded: step.reply };
  }

  /** A message of the kernel's own as the oracle sees it: stale is what an earlier incarnation minted and nobody else. */
  ofMessage(request: Uint8Array): Probe {
    const { plan, mintedIn, incarnation, bindings } = this.#state;
    const { negotiated } = this.#driver.kernel;
    const op = operationOf(opcodeOf(request));
    const ids = op === undefined ? [] : idSites(requestIdMap(op, negotiated), request);
    const symbols = [...plan.symbols];
    const named = ids.flatMap(
      ({ use, value }) =>
        // Of several that had one number, the last has it now.
        symbols.findLast(({ id, kind }) => kind === use.kind && bindings.get(id) === value) ?? [],
    );
    const stale = named.filter(({ id }) => id !== ROOT_SYMBOL && mintedIn[id] !== incarnation);
    return {
      request,
      stale: stale.map(({ id }) => this.#stale(id)),
      subject: undefined,
      recorded: undefined,
    };
  }

  /** Whom a step is about. */
  subjectsOf({ template, patches }: Step): Subjects {
    const { symbols } = this.#state.plan;
    const meant = patches.flatMap((patch) =>
      patch.kind === 'symbol' && patch.use.kind === 'node' ? [patch.symbol] : [],
    );
    const request = decodeRequest(template, this.#driver.kernel.negotiated, { cut: true });
    const { name, oldname, newname }: Fields = request.kind === 'request' ? request.fields : {};
    const paths = meant.map((symbol) => symbols.at(symbol)?.path);
    const named = [name, oldname, newname].flatMap((one) =>
      typeof one === 'string' ? paths.map((path) => `${path === '/' ? '' : path}/${one}`) : [],
    );
    const standing = named.flatMap((path) => this.identities.keyAt(path) ?? []);
    return { meant, named, standing };
  }

  /** A probe as the oracle sees it, with the request as it was sent. */
  ofProbe({ kind, symbol, node }: ReadyProbe, request: Uint8Array): Probe {
    const { mintedIn, incarnation, bindings } = this.#state;
    const isStale = (id: number): boolean => id !== ROOT_SYMBOL && mintedIn[id] !== incarnation;
    const isSent = nodeidOf(request) === bindings.get(node.id) && !this.#isFoundAnew(node.id, request);
    const nodes = isStale(node.id) && isSent ? [node.id] : [];
    const handles = kind.on === 'handle' && isStale(symbol.id) ? [symbol.id] : [];
    return {
      request,
      stale: [...nodes, ...handles].map((id) => this.#stale(id)),
      subject: node.id,
      recorded: undefined,
    };
  }

  /** A lookup of the node's path may have given the old number again: then it is a new id. */
  #isFoundAnew(node: number, request: Uint8Array): boolean {
    const ids = operationOf(opcodeOf(request))?.ids ?? [];
    const byPath = !ids.some(
      ({ side, kind, act }) => side === 'request' && (kind === 'handle' || act === 'release'),
    );
    const { bindings, mintedIn } = this.#state;
    return this.#driver.kernel.isFoundAnew(nodeId(bindings.get(node)), mintedIn[node] ?? 0, byPath);
  }

  /** Whether the stale number was sent; a request that was never sent has the recorded ones. */
  #isAt({ symbol, offset }: SymbolPatch, request: Uint8Array, step: Step): boolean {
    if (request === step.template) return true;
    const kind = this.#state.plan.symbols.at(symbol)?.kind;
    if (kind === 'node' && this.#isFoundAnew(symbol, request)) return false;
    // The kernel leaves out of a list what it has forgotten already.
    if (request.length !== step.template.length) return this.#isIn(request, this.#state.bindings.get(symbol));
    return (
      new DataView(request.buffer, request.byteOffset).getBigUint64(offset, true) ===
      this.#state.bindings.get(symbol)
    );
  }

  #isIn(request: Uint8Array, value: bigint): boolean {
    const op = operationOf(opcodeOf(request));
    if (op === undefined) return false;
    return idSites(requestIdMap(op, this.#driver.kernel.negotiated), request).some(
      (id) => id.value === value,
    );
  }

  #stale(symbol: number): StaleId {
    const { bindings, mintedIn, plan } = this.#state;
    return {
      kind: plan.symbols.at(symbol)?.kind ?? 'node',
      symbol,
      value: bindings.get(symbol),
      minted: mintedIn[symbol] ?? 0,
      was: this.nameOf(symbol),
    };
  }

  #ranges(): ReturnType<typeof mapsOf> {
    const pid = this.#driver.server?.servingPid;
    if (pid === undefined) return [];
    if (this.#maps?.pid !== pid) this.#maps = { pid, ranges: mapsOf(pid) };
    return this.#maps.ranges;
  }
}

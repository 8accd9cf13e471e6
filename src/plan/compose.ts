/**
 * Makes a plan by hand: symbols and requests of any lives of a server, in the order in which they will be sent. What a
 * server will answer is not known here, only which ids a good answer mints.
 */

import { ROOT_ID } from '../base/ids.js';
import { UNIQUE_INTERRUPT, UNIQUE_RESEND } from '../protocol/flags.js';
import { opcodeOf, setUnique, uniqueOf } from '../protocol/header.js';
import { operationOf } from '../protocol/operations.js';
import { putU64At } from '../protocol/raw.js';
import { countEarlier, countUnanswered } from './notes.js';
import {
  blankSymbol,
  type MemorySpot,
  type Mint,
  type Patch,
  type Plan,
  type PlanSymbol,
  ROOT_SYMBOL,
  type Step,
  type SymbolPatch,
} from './plan.js';
import { isOwnUnique, repeating } from './repeat.js';
import { shifted } from './shift.js';

/** A node or handle to name. */
export type SymbolDraft = {
  /** What it stands for as long as no reply minted it; 0 by default. */
  readonly recorded?: bigint;
} & (
  | { readonly kind: 'node'; readonly path?: string; readonly type?: number; readonly generation?: bigint }
  | { readonly kind: 'handle'; readonly node: number }
);

/** A request to send. */
export interface StepDraft {
  readonly incarnation: number;
  /** The whole frame. It is copied; the numbers in the places of patches and the unique are filled in. */
  readonly bytes: Uint8Array;
  readonly patches?: readonly Patch[];
  /** What a good reply mints. */
  readonly mints?: readonly Mint[];
  /** Sets bit 63 of the unique. */
  readonly resent?: boolean;
  /** Step whose unique it has too; by default it has its own. */
  readonly repeats?: number;
  /** By default the step before it in the same life. */
  readonly after?: readonly number[];
}

/** Collects symbols and steps. Numbers of symbols and steps that do not exist are bugs of the caller, and throw. */
export class Composer {
  readonly #session: Pick<Plan, 'negotiated' | 'init' | 'initReply'>;
  readonly #symbols: PlanSymbol[] = [];
  readonly #steps: Step[] = [];
  /** Last step of each life. */
  readonly #last = new Map<number, number>();

  constructor(session: Pick<Plan, 'negotiated' | 'init' | 'initReply'>) {
    this.#session = session;
    this.#symbols.push({ ...blankSymbol, id: ROOT_SYMBOL, origin: 'root', recorded: ROOT_ID, path: '/' });
  }

  /** Names a node or handle. It counts as known from before the plan until a step mints it. */
  symbol(draft: SymbolDraft): number {
    const { recorded = 0n } = draft;
    const path = draft.kind === 'handle' ? this.#symbolAt(draft.node).path : draft.path;
    return this.#name({ ...blankSymbol, ...draft, recorded: BigInt.asUintN(64, recorded), path });
  }

  /** Names an address in a server's memory, which may stand wherever a node or handle may. */
  memory(spot: MemorySpot): number {
    return this.#name({ ...blankSymbol, origin: 'memory', spot });
  }

  /** Adds a request and gives its index. */
  step(draft: StepDraft): number {
    const { incarnation, resent = false, repeats, mints = [] } = draft;
    const index = this.#steps.length;
    const patches = [...(draft.patches ?? []), ...(repeats === undefined ? [] : [repeating(repeats)])].map(
      tidy,
    );
    const template = draft.bytes.slice();
    for (const patch of patches) this.#fill(patch, template);
    setUnique(template, this.#uniqueFor(index, patches) | (resent ? UNIQUE_RESEND : 0n));
    const last = this.#last.get(incarnation);
    const after = draft.after ?? (last === undefined ? [] : [last]);
    this.#last.set(incarnation, index);
    for (const mint of mints) this.#mint(mint.symbol, index);
    const op = operationOf(opcodeOf(template));
    const sent = { index, seq: index, timeNs: 0, incarnation, op, template, templateKept: template.length };
    this.#steps.push({ ...unanswered, ...sent, patches, mints, after, resent });
    return index;
  }

  /** The plan so far. */
  plan(): Plan {
    const steps = [...this.#steps];
    const symbols = [...this.#symbols];
    const { unbound, byPath } = countEarlier(steps, symbols);
    const losses = { strayReplies: 0, strayAnswers: 0, broken: 0, missing: 0 };
    const notes = { ...losses, byPath, unanswered: countUnanswered(steps) };
    const { negotiated, init, initReply } = this.#session;
    return { negotiated, init, initReply, steps, symbols, notices: [], resends: [], unbound, notes };
  }

  #name(symbol: Omit<PlanSymbol, 'id'>): number {
    return this.#symbols.push({ ...symbol, id: this.#symbols.length }) - 1;
  }

  #mint(id: number, step: number): void {
    const symbol = this.#symbolAt(id);
    if (symbol.origin === 'earlier') this.#symbols[id] = { ...symbol, origin: 'step', mintedBy: step };
  }

  /** Writes what the recording would have had in the place of a patch. */
  #fill(patch: Patch, template: Uint8Array): void {
    if (patch.kind === 'symbol') putU64At(template, patch.offset, this.#numberOf(patch));
    else if (patch.step !== undefined) putU64At(template, patch.offset, this.#targetOf(patch.step));
  }

  #numberOf({ symbol, shift }: SymbolPatch): bigint {
    const { recorded } = this.#symbolAt(symbol);
    return shift === undefined ? recorded : shifted(recorded, shift);
  }

  #targetOf(step: number): bigint {
    const { template } = at(this.#steps, step);
    return uniqueOf(template) & ~UNIQUE_RESEND;
  }

  /** That of the step that it repeats, for an INTERRUPT that of its target with bit 0 set, else a new one. */
  #uniqueFor(index: number, patches: readonly Patch[]): bigint {
    const targets = patches.filter((patch) => patch.kind === 'step');
    const target = targets.find(isOwnUnique) ?? targets[0];
    if (target?.step === undefined) return BigInt(index + 1) * 2n;
    return this.#targetOf(target.step) | (isOwnUnique(target) ? 0n : UNIQUE_INTERRUPT);
  }

  #symbolAt(id: number): PlanSymbol {
    return at(this.#symbols, id);
  }
}

const unanswered = {
  replyTimeNs: undefined,
  reply: undefined,
  replyKept: 0,
  answered: false,
  answeredBefore: undefined,
} as const;

const at = <T>(list: readonly T[], index: number): T => {
  const found = list[index];
  if (found === undefined) throw new Error(`compose: there is no number ${index} of ${list.length}`);
  return found;
};

/** Without a shift that shifts nothing. */
const tidy = (patch: Patch): Patch => {
  if (patch.kind === 'step' || patch.shift === undefined) return patch;
  const { shift, ...plain } = patch;
  const [add, flip] = [BigInt.asUintN(64, shift.add), BigInt.asUintN(64, shift.flip)];
  return add === 0n && flip === 0n ? plain : { ...plain, shift: { add, flip } };
};

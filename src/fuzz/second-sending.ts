/**
 * A request that is sent a second time: what is looked at between the sendings, the names that it is about and the files that it
 * made, and afterwards, to see whether the second one did anything. When it is sent is for others to say.
 */

import { judgeResent, type Resent } from '../oracle/effects.js';
import type { Scene } from '../oracle/probe.js';
import type { Judgement } from '../oracle/verdict.js';
import { decodeRequest } from '../protocol/decode.js';
import { Fattr } from '../protocol/flags.js';
import { NODEID_AT, nodeidOf } from '../protocol/header.js';
import type { Fields } from '../protocol/layout.js';
import type { Operation } from '../protocol/operations.js';
import { u64At } from '../protocol/raw.js';
import type { Case, CaseRequest } from './case.js';
import { filled } from './fill.js';
import { lookAt } from './inspector.js';
import type { Scenery } from './scenery.js';
import { entryIn, type Look, requestOf } from './survey.js';
import type { Era } from './world.js';

/** A case in two halves. */
export interface Halves {
  /** The request that is sent twice. */
  readonly request: CaseRequest;
  /** All up to the first sending, which is its last request. */
  readonly first: Case;
  /** Index of the first sending in it. */
  readonly repeats: number;
  /** The second sending alone; `before` is the place of the first one in relation to it. */
  readonly second: (before: number) => Case;
}

/** The halves of a case that ends by sending again what it sent right before; `undefined` for others. */
export const halvesOf = (one: Case): Halves | undefined => {
  const { requests, wrong } = one;
  const request = requests[wrong];
  const repeats = wrong - 1;
  if (request?.resent !== true || request.repeats !== repeats || wrong !== requests.length - 1)
    return undefined;
  return {
    request,
    first: { ...one, requests: requests.slice(0, wrong), wrong: repeats },
    repeats,
    second: (before) => ({ ...one, requests: [{ ...request, repeats: before }], wrong: 0 }),
  };
};

/** A lookup of a name that a request is about. */
interface Question {
  readonly name: string;
  readonly request: CaseRequest;
}

const lookupOf = (name: unknown, nodeid: bigint, { negotiated }: Era): Question[] => {
  if (typeof name !== 'string') return [];
  const draft = { name: 'LOOKUP', header: { unique: 0n, nodeid }, fields: { name } } as const;
  return [{ name, request: requestOf(draft, negotiated) }];
};

/** Lookups of the names of a request, of which `frame` is what was sent; none when it changes no names. */
const questionsAbout = ({ op }: CaseRequest, frame: Uint8Array, era: Era): Question[] => {
  if (op?.effect !== 'name') return [];
  const decoded = decodeRequest(frame, era.negotiated);
  if (decoded.kind !== 'request') return [];
  const { name, oldname, newname, newdir }: Fields = decoded.fields;
  const parent = nodeidOf(frame);
  return [
    ...lookupOf(name, parent, era),
    ...lookupOf(oldname, parent, era),
    ...lookupOf(newname, typeof newdir === 'bigint' ? newdir : parent, era),
  ];
};

/** Length that somebody else gives to a new file. */
const FILLED = 4096n;

const makesOpenFile = ({ ids }: Operation): boolean =>
  (['node', 'handle'] as const).every((wanted) =>
    ids.some(({ side, act, kind }) => side === 'reply' && act === 'create' && kind === wanted),
  );

/** Requests by which somebody else fills the files that a request made and opened. */
const fillings = (
  { op }: CaseRequest,
  {
    questions,
    replies,
  }: { readonly questions: readonly Question[]; readonly replies: readonly Uint8Array[] },
  era: Era,
): CaseRequest[] => {
  if (op === undefined || !makesOpenFile(op)) return [];
  return questions.flatMap(({ request }, index) => {
    const reply = replies[index];
    if (reply === undefined || entryIn(request, reply, era)?.error !== undefined) return [];
    const header = { unique: 0n, nodeid: u64At(reply, NODEID_AT) };
    const fields = { valid: Fattr.SIZE, size: FILLED };
    return [requestOf({ name: 'SETATTR', header, fields }, era.negotiated)];
  });
};

/** What was seen of names and objects at one moment. */
interface Sight {
  readonly names: readonly Uint8Array[];
  readonly look: Look;
}

/** Has seen what the first sending did. Lookups are not given back, so that names keep their nodes. */
export class Witness {
  readonly #scenery: Scenery;
  readonly #request: CaseRequest;
  readonly #questions: readonly Question[];
  readonly #before: Sight;

  private constructor(scenery: Scenery, request: CaseRequest, questions: readonly Question[], before: Sight) {
    this.#scenery = scenery;
    this.#request = request;
    this.#questions = questions;
    this.#before = before;
  }

  /** Looks at what a request did that was answered well; `undefined` when the server does not survive it. */
  static async of(scenery: Scenery, request: CaseRequest): Promise<Witness | undefined> {
    const { talk, era, bindings } = scenery;
    const questions = questionsAbout(request, filled(request, bindings), era);
    const replies = await talk.answers(questions.map((one) => one.request));
    if (typeof replies === 'string') return undefined;
    const others = await talk.answers(fillings(request, { questions, replies }, era));
    const before = typeof others === 'string' ? undefined : await sightOf(scenery, questions);
    return before && new Witness(scenery, request, questions, before);
  }

  /** Judges what the second sending did; `undefined` when it did nothing, or the server does not answer. */
  async judge(scene: Scene): Promise<Judgement | undefined> {
    const { world, era, bindings } = this.#scenery;
    const after = await sightOf(this.#scenery, this.#questions);
    if (after === undefined) return undefined;
    const probe = world.probeOf(this.#request, filled(this.#request, bindings), era);
    return judgeResent(probe, [...this.#names(after), ...this.#objects(after)], scene);
  }

  #names({ names }: Sight): Resent[] {
    const { era } = this.#scenery;
    return this.#questions.flatMap(({ name, request }, index) => {
      const [was, is] = [this.#before.names[index], names[index]];
      const before = was && entryIn(request, was, era);
      const after = is && entryIn(request, is, era);
      if (before === undefined || after === undefined) return [];
      return [{ what: `the name ${JSON.stringify(name)}`, before, after }];
    });
  }

  #objects({ look }: Sight): Resent[] {
    const { world, era } = this.#scenery;
    return [...new Set(world.meantBy(this.#request, era.negotiated))].flatMap((key) => {
      const [before, after] = [this.#before.look.states.get(key), look.states.get(key)];
      return before === undefined || after === undefined ? [] : [{ what: world.nameOf(key), before, after }];
    });
  }
}

const sightOf = async (scenery: Scenery, questions: readonly Question[]): Promise<Sight | undefined> => {
  const names = await scenery.talk.answers(questions.map(({ request }) => request));
  if (typeof names === 'string') return undefined;
  const look = await lookAt(scenery);
  return typeof look === 'string' ? undefined : { names, look };
};

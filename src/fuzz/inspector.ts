/**
 * Looks at what requests left behind, beyond their replies: the objects and live ids of the running life, and what stands behind
 * an id of which the reply does not tell. What is played, and what follows from a verdict, is not known here.
 */

import { crashReport } from '../oracle/crash-report.js';
import { judgeStore } from '../oracle/effects.js';
import type { Judgement } from '../oracle/verdict.js';
import { NODEID_AT } from '../protocol/header.js';
import { judgeAftermath } from './aftermath.js';
import type { Case, CaseRequest } from './case.js';
import { type Failure, rootQuestion } from './conversation.js';
import { filled } from './fill.js';
import type { Observer } from './observe.js';
import { remember } from './past.js';
import type { Report } from './report.js';
import type { Scenery } from './scenery.js';
import { StoreWatch } from './store-watch.js';
import { type Look, survey } from './survey.js';

/** The requests that what is found is held against. */
interface Played {
  readonly request: CaseRequest;
  /** Positive; 0 for a good reply, absent without one. */
  readonly errno: number | undefined;
  readonly isAgain: boolean;
  /** No other case was played with it. */
  readonly isAlone: boolean;
}

const nothing = new Uint8Array(0);

/** Looks at the objects that a life handed out ids for. */
export const lookAt = ({ world, bindings, talk, era }: Scenery): Promise<Look | Failure> =>
  survey(world.targets(bindings, era.life), (asked) => talk.answers(asked), era);

/** The inspector of one life. */
export class Inspector {
  readonly #scenery: Scenery;
  readonly #observer: Observer;
  readonly #store: StoreWatch | undefined;
  #before: Look;
  #last: Played | undefined;

  /** `before` is how the objects looked when the life was ready; `store` its backing directory, where it has one. */
  constructor(
    scenery: Scenery,
    observer: Observer,
    { before, store }: { readonly before: Look; readonly store: string | undefined },
  ) {
    this.#scenery = scenery;
    this.#observer = observer;
    this.#before = before;
    this.#store = store === undefined ? undefined : new StoreWatch(store, scenery);
  }

  /** Notes what was played last. */
  note(cases: readonly Case[], report: Report): void {
    this.#store?.note(cases, report.touching(this.#scenery.talk.slots));
    const errno = report.lastErrno;
    const last = cases.at(-1);
    const request = last?.requests[last.wrong];
    if (last === undefined || request === undefined) return;
    // Without bit 63 the server has no way to know.
    const isAgain = last.requests.some(({ resent }) => resent);
    this.#last = { request, errno, isAgain, isAlone: cases.length === 1 };
  }

  /**
   * Looks at all objects again, and at the store: what changed without being meant, and which ids that the life handed out
   * itself do not work any more since the last look. Unsafe judgements, held against the case noted last; none when all is
   * well, or nothing was played.
   */
  async check(): Promise<readonly Judgement[]> {
    const last = this.#last;
    if (last === undefined) return [];
    const { world, era, lawful, bindings } = this.#scenery;
    const after = await lookAt(this.#scenery);
    if (typeof after === 'string') return [await this.#lateEnd(last.request, after)];
    remember(world, { era, told: [], look: after });
    const probe = world.probeOf(last.request, filled(last.request, bindings), era);
    const scene = this.#observer.scene();
    const judgements = judgeAftermath(
      {
        ...{ probe, before: this.#before, after, errno: last.errno },
        ...{ isAgain: last.isAgain, isAlone: last.isAlone, isOld: world.usesOld(last.request) },
        ...{ changed: lawful.changed, gone: lawful.gone, meant: world.namedBy(last.request) },
      },
      scene,
    );
    this.#before = after;
    lawful.looked();
    const stored = judgeStore(probe, this.#store?.changes() ?? [], scene);
    return [...judgements, ...(stored === undefined ? [] : [stored]), ...this.#reported(last.request)];
  }

  /** The reply did not tell which object it is about; the attributes behind the same ids may. */
  async identify(request: CaseRequest, own: Judgement): Promise<Judgement> {
    const { era, talk } = this.#scenery;
    const [header] = request.patches.filter(({ offset }) => offset === NODEID_AT);
    if (header === undefined) return own;
    const asked = { ...rootQuestion(era.negotiated), patches: [header] };
    const replies = await talk.answers([asked]);
    if (typeof replies === 'string') return own;
    const judged = this.#observer.judge(asked, { kind: 'reply', bytes: replies[0] ?? nothing });
    const { verdict, evidence } = judged;
    if (verdict !== 'recovered' && verdict !== 'wrong-object') return own;
    const signature = `${verdict} ${own.op} ${own.idKind}`;
    return { ...own, verdict, signature, evidence: [...own.evidence, ...evidence], followUps: [] };
  }

  /** A checker may report misuse of memory and let the server live. */
  #reported(request: CaseRequest): Judgement[] {
    const { stderr } = this.#scenery.life;
    if (crashReport(stderr) === undefined) return [];
    const exit = { code: undefined, signal: undefined, stderr };
    return [this.#observer.judge(request, { kind: 'ended', exit })];
  }

  /** The server did not survive the look at its own ids. */
  async #lateEnd(request: CaseRequest, failure: Failure): Promise<Judgement> {
    const judgement = this.#observer.judge(request, await this.#scenery.talk.outcomeOf(failure));
    const { verdict, op, signature, evidence } = judgement;
    return {
      ...judgement,
      verdict: verdict === 'unknown' ? 'poison' : verdict,
      signature: `${op} then ${signature.replace(`${op} `, '')}`,
      evidence: [
        ...evidence,
        'it answered the request, but not the next ones, on ids that it had handed out itself',
      ],
    };
  }
}

/** Plans as data that can be compared: their steps and symbols may be made on demand. */

import type { Mint, Patch, Plan } from '#relight/plan/plan.js';

const hex = (bytes: Uint8Array | undefined): string | undefined =>
  bytes && Buffer.from(bytes).toString('hex');

const big = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value);

const idText = ({ offset, use, ...rest }: Patch | Mint): string =>
  `${offset} ${use.act} ${use.kind} ${use.field} ${JSON.stringify(rest, big)}`;

/** Everything that a plan tells. */
export const plain = (plan: Plan) => ({
  ...plan,
  steps: [...plan.steps].map((step) => ({
    index: step.index,
    seq: step.seq,
    timeNs: step.timeNs,
    replyTimeNs: step.replyTimeNs,
    incarnation: step.incarnation,
    op: step.op?.name,
    template: hex(step.template),
    templateKept: step.templateKept,
    // Their order means nothing.
    patches: step.patches.toSorted((a, b) => a.offset - b.offset).map(idText),
    reply: hex(step.reply),
    replyKept: step.replyKept,
    mints: step.mints.map(idText),
    after: step.after,
    answered: step.answered,
    answeredBefore: step.answeredBefore,
    resent: step.resent,
  })),
  symbols: [...plan.symbols].map(
    ({ id, kind, origin, mintedBy, node, path, type, recorded, generation, spot }) => ({
      ...{ id, kind, origin, mintedBy, node, path, type, recorded, generation, spot },
    }),
  ),
  notices: plan.notices.map((notice) => ({
    ...notice,
    bytes: hex(notice.bytes),
    answer: hex(notice.answer),
  })),
  init: hex(plan.init),
  initReply: hex(plan.initReply),
});

/** Whether a plan can be replayed on a server at all, found out without running more than INIT. */

import { existsSync } from 'node:fs';
import { VirtualKernel } from '../kernel/virtual-kernel.js';
import type { Plan } from '../plan/plan.js';
import type { TraceHeader } from '../trace/context.js';
import { Launcher } from '../transport/launch.js';
import { Driver } from './driver.js';
import { offerOf } from './offer.js';
import type { ReplayOptions } from './options.js';

type Orders = Pick<
  ReplayOptions,
  'command' | 'cwd' | 'aslr' | 'sandbox' | 'depth' | 'replyTimeoutMs' | 'startTimeoutMs'
>;

const ofTrace = (plan: Plan, header: Pick<TraceHeader, 'payload' | 'byteOrder' | 'redacted'>): string[] => [
  ...(header.byteOrder === 'big' ? ['the trace is big-endian; this machine cannot replay it'] : []),
  ...(plan.init === undefined
    ? ['the trace has no INIT: the session is negotiated as a new kernel would']
    : []),
  ...(header.redacted ? ['the trace is redacted: names and contents are not those of the store'] : []),
  ...(header.payload.kind === 'full'
    ? []
    : ['contents were not recorded: WRITEs send zeroes, READs are compared by length']),
  ...(plan.unbound > 0
    ? [`${plan.unbound} requests use ids from before the recording and will be sent as they are`]
    : []),
  ...(plan.notes.missing > 0 ? [`${plan.notes.missing} frames are missing in the trace`] : []),
];

/** Starts the server once and compares what INIT settles with the recording. */
const ofServer = async (plan: Plan, orders: Orders): Promise<string[]> => {
  const launcher = await Launcher.open({
    command: orders.command,
    mode: 'pretend',
    aslr: orders.aslr,
    sandbox: orders.sandbox,
    ...(orders.cwd === undefined ? {} : { cwd: orders.cwd }),
  });
  const kernel = new VirtualKernel({ letGo: 'given', offer: offerOf(plan) });
  const driver = new Driver({ ...orders, launcher, kernel });
  try {
    const end = await driver.start();
    if (end.kind !== 'done') {
      const said = driver.server?.stderr.lines(2).join('; ') ?? '';
      return [`the server does not answer INIT${said === '' ? '' : `: ${said}`}`];
    }
    const { minor, maxWrite } = kernel.negotiated;
    return [
      ...(minor === plan.negotiated.minor
        ? []
        : [`the server answers 7.${minor}, the recorded one 7.${plan.negotiated.minor}`]),
      ...(maxWrite >= plan.negotiated.maxWrite
        ? []
        : [`max_write is ${maxWrite}, was ${plan.negotiated.maxWrite}: long WRITEs would be cut`]),
    ];
  } finally {
    await driver.stop('SIGKILL');
    await launcher.close();
  }
};

/** What speaks against a replay, in sentences; empty when nothing does. Throws a RelightError when the server cannot start. */
export const preflight = async (
  plan: Plan,
  header: Pick<TraceHeader, 'payload' | 'byteOrder' | 'redacted'>,
  orders: Orders,
): Promise<string[]> => {
  const missing =
    orders.cwd !== undefined && !existsSync(orders.cwd)
      ? [`the recorded directory ${orders.cwd} is not there`]
      : [];
  if (missing.length > 0) return missing;
  return [...ofTrace(plan, header), ...(await ofServer(plan, orders))];
};

/** A tour of a server that needs no store, and campaigns on what it showed, for as long as somebody wants them. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CampaignStatus, Limits } from '#relight/fuzz/campaign.js';
import { CampaignFolder } from '#relight/fuzz/campaign-folder.js';
import type { Finding } from '#relight/fuzz/finding.js';
import { fuzz } from '#relight/fuzz/fuzz.js';
import type { Judgement } from '#relight/oracle/verdict.js';
import { lift } from '#relight/plan/lift.js';
import type { Plan } from '#relight/plan/plan.js';
import { sandboxFor } from '#relight/replay/sandbox.js';
import { tour } from '#relight/replay/tour.js';
import { openTrace } from '#relight/trace/reader.js';
import { relightMain } from '../support/root.js';

/** The command of a specimen; further words are options of memfs. */
export const specimen = (...words: readonly string[]): string[] => [
  ...[process.execPath, relightMain, 'specimen', 'memfs'],
  ...words,
  '{mnt}',
];

/** A server and the plan of a tour that changed things on it. */
export interface Toured {
  readonly command: readonly string[];
  readonly plan: Plan;
}

/** Runs `work` with a new temporary folder, which goes afterwards. */
export const inFolder = async <T>(work: (folder: string) => Promise<T>): Promise<T> => {
  const folder = mkdtempSync(join(tmpdir(), 'relight-campaign-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Goes on a tour that also writes, hands its plan to `work`, and takes the trace away. */
export const afterTour = <T>(command: readonly string[], work: (toured: Toured) => Promise<T>): Promise<T> =>
  inFolder(async (folder) => {
    const path = join(folder, 'tour.rlt');
    await tour({ trace: path, command, writing: 'keep' });
    const trace = openTrace(path);
    try {
      return await work({ command, plan: lift(trace) });
    } finally {
      trace.close();
    }
  });

/** A campaign in short. */
export interface Campaigning {
  readonly seed: number;
  readonly limits: Partial<Limits>;
  /** Where findings are kept. */
  readonly folder: string;
  /** Ends the campaign when it says so of a verdict that was seen again often enough. */
  readonly isWanted?: (judgement: Judgement) => boolean;
}

/** The verdict that was wanted, and what it took. */
export interface Detection {
  readonly judgement: Judgement;
  readonly cases: number;
  readonly seconds: number;
}

/** What a campaign came to. */
export interface Campaigned {
  readonly status: CampaignStatus;
  readonly findings: readonly Finding[];
  /** `undefined` when nothing was wanted or it was not found. */
  readonly detection: Detection | undefined;
}

/** Holds a campaign as `relight fuzz` does. */
export const campaignOn = async (
  { command, plan }: Toured,
  { seed, limits, folder, isWanted }: Campaigning,
): Promise<Campaigned> => {
  const began = performance.now();
  let cases = 0;
  let detection: Detection | undefined;
  const store = { command, cwd: undefined, snapshot: [] };
  const { status, findings } = await fuzz(
    {
      server: {
        ...{ ...store, sandbox: sandboxFor({ ...store, writable: [] }) },
        ...{ env: undefined, checker: undefined, startTimeoutMs: 30_000, replyTimeoutMs: 2000 },
      },
      ...{ plan, seed, mutate: [], ops: [], resume: false },
      material: 'test',
      limits: { cases: undefined, seconds: undefined, ...limits },
      folder: CampaignFolder.open(folder),
      versions: { relight: 'test', kernel: 'test', arch: 'test' },
    },
    {
      onProgress: (now) => {
        cases = now.cases;
      },
      onBelieved: (judgement) => {
        if (detection !== undefined || isWanted?.(judgement) !== true) return;
        detection = { judgement, cases, seconds: (performance.now() - began) / 1000 };
      },
      isStopped: () => detection !== undefined,
    },
  );
  return { status, findings, detection };
};

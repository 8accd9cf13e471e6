/** The search for one planted bug by some seeds, and a campaign on its twin, in which there is nothing to find. */

import { join } from 'node:path';
import type { PlantedBug } from '#relight/specimen/planted/planted-bug.js';
import {
  afterTour,
  type Campaigned,
  campaignOn,
  type Detection,
  inFolder,
  specimen,
} from '../../fuzz/short-campaign.js';

/** How a bug is searched for. */
export interface HuntOrders {
  /** Campaigns: seeds from 1 on. */
  readonly seeds: number;
  /** How long each campaign may go on. */
  readonly seconds: number;
}

/** What came of it. */
export interface Hunt {
  readonly bug: PlantedBug;
  readonly campaigns: number;
  /** Of the campaigns that found it in time. */
  readonly detections: readonly Detection[];
  /** Signatures of findings whose verdict is none that the bug is known for. */
  readonly others: readonly string[];
  readonly twin: Campaigned;
}

/** A twin is looked at for so long at least, in seconds. */
const TWIN_SECONDS = 10;

const isOf = ({ verdicts }: PlantedBug, verdict: string): boolean =>
  verdicts.some((known) => known === verdict);

const campaignsOn = (bug: PlantedBug, { seeds, seconds }: HuntOrders): Promise<Campaigned[]> =>
  afterTour(specimen('--bug', bug.name), async (toured) => {
    const all: Campaigned[] = [];
    for (let seed = 1; seed <= seeds; seed++) {
      const campaigned = await inFolder((folder) =>
        campaignOn(toured, {
          ...{ seed, limits: { seconds }, folder: join(folder, 'findings') },
          isWanted: ({ verdict }) => isOf(bug, verdict),
        }),
      );
      all.push(campaigned);
    }
    return all;
  });

const campaignOnTwin = (bug: PlantedBug, seconds: number): Promise<Campaigned> =>
  afterTour(specimen('--bug', bug.name, '--fixed'), (toured) =>
    inFolder((folder) =>
      campaignOn(toured, { seed: 1, limits: { seconds }, folder: join(folder, 'findings') }),
    ),
  );

/** Searches for a bug, then does as much on its twin. */
export const huntFor = async (bug: PlantedBug, orders: HuntOrders): Promise<Hunt> => {
  const all = await campaignsOn(bug, orders);
  const detections = all.flatMap(({ detection }) =>
    detection === undefined || detection.seconds > orders.seconds ? [] : [detection],
  );
  const others = all.flatMap(({ findings }) =>
    findings.flatMap(({ verdict, signature }) => (isOf(bug, verdict) ? [] : [signature])),
  );
  const isMissed = detections.length < all.length;
  const slowest = isMissed ? orders.seconds : Math.max(...detections.map(({ seconds }) => seconds));
  const twin = await campaignOnTwin(bug, Math.max(TWIN_SECONDS, slowest));
  return { bug, campaigns: all.length, detections, others: [...new Set(others)], twin };
};

/** How fast fuzzing is: on servers that survive, and on servers that die at each case. */

import { join } from 'node:path';
import { buildExample } from '../servers/examples.js';
import type { Bench } from './bench.js';
import { deathsSection } from './fuzz/deaths.js';
import { type FuzzedServer, survivingServers, touredPlan } from './fuzz/servers.js';
import { survivorsSection } from './fuzz/survivors.js';
import { inFolder } from './replay/servers.js';

const run = (): Promise<string> =>
  inFolder(async (folder) => {
    const survivors = await survivingServers(folder);
    const tree = join(folder, 'fuzzed-tree');
    const passthrough = await buildExample('passthrough_ll');
    const mortals: readonly FuzzedServer[] = [
      { name: 'bindfs', command: ['bindfs', '-f', tree, '{mnt}'] },
      { name: 'passthrough_ll', command: [passthrough, '-f', '-o', `source=${tree}`, '{mnt}'] },
    ];
    const planOf = (server: FuzzedServer) => touredPlan(server, folder);
    return [await survivorsSection(survivors, planOf), await deathsSection(mortals, planOf), ''].join('\n\n');
  });

/** The benchmark. */
export const bench: Bench = { title: 'How fast fuzzing is', run };

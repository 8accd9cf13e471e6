/** What the fuzz targets claim of our parsers, for the inputs that are kept: seeds, and whatever broke a parser once. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fuzz as filter } from '../fuzz/targets/filter.js';
import { fuzz as finding } from '../fuzz/targets/finding.js';
import { fuzz as frames } from '../fuzz/targets/frames.js';
import { fuzz as plan } from '../fuzz/targets/plan.js';
import { fuzz as trace } from '../fuzz/targets/trace.js';
import { root } from './support/root.js';

const targets = { filter, finding, frames, plan, trace };
const folder = join(root, 'corpora/fuzz');

const kept = Object.entries(targets).flatMap(([target, fuzz]) =>
  readdirSync(folder)
    .filter((name) => name === target)
    .flatMap((name) => readdirSync(join(folder, name)).map((file) => ({ target, file, fuzz }))),
);

describe('an input that is kept', () => {
  test.each(kept)('$target/$file', async ({ target, file, fuzz }) => {
    await expect(fuzz(readFileSync(join(folder, target, file)))).resolves.toBeUndefined();
  });
});

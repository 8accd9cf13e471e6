import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CampaignState } from '#relight/fuzz/campaign.js';
import { CampaignFolder, type CampaignSubject } from '#relight/fuzz/campaign-folder.js';
import { Ledger } from '#relight/fuzz/ledger.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'relight-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const subject: CampaignSubject = { seed: 3, argv: ['server', '{mnt}'], snapshot: [], material: 'abc' };
const arm = { mutator: 'nodeid.stale', op: 'READ', weight: 4 };
const state: CampaignState = { ledger: { ...new Ledger().state, cases: 12, elapsedMs: 5 }, size: 128 };

describe('the folder of a campaign', () => {
  test('gives back what it takes to go on', () => {
    const used = CampaignFolder.open(folder);
    expect(used.isUsed).toBe(false);
    const dismissed = new Map([['hang READ', { k: 1, n: 3 }]]);
    used.note(subject, state, { arms: [{ ...arm, weight: 0.5, dull: 9 }], dismissed });
    const again = CampaignFolder.open(folder);
    expect(again.isUsed).toBe(true);
    const other = { mutator: 'fh.stale', op: 'READ', weight: 2 };
    const kept = again.resume(subject, [other, arm]);
    expect(kept).toMatchObject({ state, dismissed, findings: [] });
    expect(kept.arms).toMatchObject([
      { weight: 2, dull: 0 },
      { weight: 0.5, dull: 9 },
    ]);
    expect(readdirSync(folder)).toEqual(['campaign.json']);
  });

  test('does not go on with something else', () => {
    const used = CampaignFolder.open(folder);
    used.note(subject, state, { arms: [], dismissed: new Map() });
    expect(() => used.resume({ ...subject, seed: 4 }, [])).toThrow(/holds another campaign/);
  });

  test('says so when its journal is damaged', () => {
    const used = CampaignFolder.open(folder);
    used.note(subject, state, { arms: [], dismissed: new Map() });
    const path = join(folder, 'campaign.json');
    for (const text of ['', '{"format":1}', readFileSync(path, 'utf8').slice(0, 40), 'null']) {
      writeFileSync(path, text);
      expect(() => used.resume(subject, [])).toThrow(/campaign\.json is damaged/);
    }
  });

  test('cannot be a file', () => {
    const path = join(folder, 'file');
    writeFileSync(path, '');
    expect(() => CampaignFolder.open(path)).toThrow(/cannot make .*file/);
  });
});

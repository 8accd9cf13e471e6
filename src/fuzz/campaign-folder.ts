/**
 * A campaign's folder: findings, `campaign.json` to go on with, and `status.json` for other programs to watch. Every file is
 * written whole or not at all.
 */

import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RelightError } from '../base/error.js';
import { fileError } from '../trace/sink.js';
import type { CampaignState, CampaignStatus } from './campaign.js';
import type { Finding, Reliability } from './finding.js';
import { FINDING_SUFFIX, findingPath, readFinding, writeFinding } from './finding-file.js';
import type { Arm, ArmState } from './scheduler.js';

/** What a campaign is held on; a folder goes on only with the same. */
export interface CampaignSubject {
  readonly seed: number;
  readonly argv: readonly string[];
  readonly snapshot: readonly string[];
  /** Which plan and which cases: a hash of what the cases are made from. */
  readonly material: string;
}

/** What an earlier session left. */
export interface Kept {
  readonly state: CampaignState;
  readonly arms: readonly ArmState[];
  readonly dismissed: ReadonlyMap<string, Reliability>;
  readonly findings: readonly Finding[];
}

interface Journal {
  readonly format: number;
  readonly subject: CampaignSubject;
  readonly state: CampaignState;
  readonly arms: readonly (Arm & ArmState)[];
  readonly dismissed: readonly (readonly [string, Reliability])[];
}

const FORMAT = 1;
const PRIVATE = 0o700;

const writeWhole = (path: string, document: unknown): void => {
  const draft = `${path}.${randomUUID()}.tmp`;
  try {
    writeFileSync(draft, `${JSON.stringify(document, undefined, 1)}\n`, { mode: 0o600 });
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw fileError('write', path, error);
  }
};

/** The folder of one campaign. */
export class CampaignFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Opens a folder, made if need be. Throws a RelightError when it cannot be. */
  static open(path: string): CampaignFolder {
    try {
      mkdirSync(path, { recursive: true, mode: PRIVATE });
    } catch (error) {
      throw fileError('make', path, error);
    }
    return new CampaignFolder(path);
  }

  /** Whether a campaign was held here. */
  get isUsed(): boolean {
    return existsSync(this.#journal);
  }

  /** What an earlier session of the same campaign left. Throws a RelightError when it was another one, or is damaged. */
  resume(subject: CampaignSubject, arms: readonly Arm[]): Kept {
    const journal = this.#read();
    if (JSON.stringify(journal.subject) !== JSON.stringify(subject))
      throw new RelightError('usage', `${this.path} holds another campaign`, {
        remedy: 'go on with the same trace, server, snapshot and seed, or name another folder',
      });
    const known = new Map(journal.arms.map((arm) => [armKey(arm), arm]));
    return {
      state: journal.state,
      arms: arms.map((arm) => known.get(armKey(arm)) ?? { weight: arm.weight, dull: 0 }),
      dismissed: new Map(journal.dismissed),
      findings: this.findings(),
    };
  }

  /** Findings in the folder, by name. Throws a RelightError when one is damaged. */
  findings(): Finding[] {
    const names = readdirSync(this.path).filter((name) => name.endsWith(FINDING_SUFFIX));
    return names.sort().map((name) => readFinding(join(this.path, name)));
  }

  /** Writes a finding and gives its path. */
  keep(finding: Finding): string {
    const path = findingPath(this.path, finding);
    writeFinding(path, finding);
    return path;
  }

  /** Writes what it takes to go on. */
  note(
    subject: CampaignSubject,
    state: CampaignState,
    learnt: {
      readonly arms: readonly (Arm & ArmState)[];
      readonly dismissed: ReadonlyMap<string, Reliability>;
    },
  ): void {
    const journal: Journal = {
      format: FORMAT,
      subject,
      state,
      arms: learnt.arms,
      dismissed: [...learnt.dismissed],
    };
    writeWhole(this.#journal, journal);
  }

  /** Writes where the campaign is. */
  report(status: CampaignStatus): void {
    writeWhole(join(this.path, 'status.json'), status);
  }

  get #journal(): string {
    return join(this.path, 'campaign.json');
  }

  #read(): Journal {
    try {
      const journal: unknown = JSON.parse(readFileSync(this.#journal, 'utf8'));
      if (isJournal(journal)) return journal;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw fileError('read', this.#journal, error);
    }
    throw new RelightError('usage', `${this.#journal} is damaged`, {
      remedy: 'remove it to begin anew; the findings stay',
    });
  }
}

const armKey = ({ mutator, op }: Pick<Arm, 'mutator' | 'op'>): string => `${mutator}\t${op}`;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** Whether a document has the shape that `note` wrote; its numbers are taken as they are. */
const isJournal = (value: unknown): value is Journal =>
  isRecord(value) &&
  value.format === FORMAT &&
  isRecord(value.subject) &&
  isRecord(value.state) &&
  isRecord(value.state.ledger) &&
  Array.isArray(value.state.ledger.combinations) &&
  Array.isArray(value.state.ledger.blamed) &&
  Array.isArray(value.arms) &&
  Array.isArray(value.dismissed);

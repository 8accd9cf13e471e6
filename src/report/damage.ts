/** What of a trace cannot be read, in words and as JSON. */

import type { Repair } from '../trace/repair.js';
import type { Damage } from '../trace/scan.js';
import { bytesText, countedText } from './units.js';

/** One line for each damaged place. */
export const damageLines = (damage: readonly Damage[]): string[] =>
  damage.map(({ offset, bytes, reason, frames }) => {
    const lost = frames === undefined ? 'an unknown number of frames' : countedText(frames, 'frame');
    return `at byte ${offset}: ${bytesText(bytes)} cannot be read (${reason}), ${lost} lost`;
  });

/** `relight repair --json`. */
export interface RepairJson {
  readonly trace: string;
  /** False when nothing had to be mended. */
  readonly changed: boolean;
  readonly frames: number;
  readonly damage: readonly Damage[];
}

/** The document of one repair. */
export const repairJson = (trace: string, { isChanged, frames, damage }: Repair): RepairJson => ({
  trace,
  changed: isChanged,
  frames,
  damage,
});

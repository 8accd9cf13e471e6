/** Every planted bug does what the table says of it, and its twin does not. */

import { describe, expect, test } from 'vitest';
import { isUnsafe } from '#relight/oracle/verdict.js';
import { operationNamed } from '#relight/protocol/operations.js';
import { plantedBugs } from '#relight/specimen/planted/planted.js';
import { handleScripts } from './handle-bugs.js';
import { lostScripts } from './lost-bugs.js';
import { messageScripts } from './message-bugs.js';
import { nodeScripts } from './node-bugs.js';
import { numberingScripts } from './numbering-bugs.js';
import { played, type Scripts, stageOf } from './playing.js';
import { replyScripts } from './reply-bugs.js';
import { resendScripts } from './resend-bugs.js';
import { sessionScripts } from './session-bugs.js';

const scripts: Scripts = {
  ...numberingScripts,
  ...nodeScripts,
  ...handleScripts,
  ...messageScripts,
  ...replyScripts,
  ...sessionScripts,
  ...lostScripts,
  ...resendScripts,
};

describe('the table', () => {
  test('names are unique and each has a script', () => {
    const names = plantedBugs.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect([...names].sort()).toEqual(Object.keys(scripts).sort());
  });

  test.each(plantedBugs)('$name: unsafe verdicts and operations that exist', ({ verdicts, ops }) => {
    for (const verdict of verdicts) expect(isUnsafe(verdict)).toBe(true);
    for (const name of ops) expect(operationNamed(name).opcode).toBeGreaterThan(0);
  });
});

describe.each(plantedBugs)('$name', (bug) => {
  const script = scripts[bug.name] ?? (() => 'clean' as const);

  test('shows itself as the table says', () => {
    expect(bug.verdicts).toContain(played(script, stageOf(bug, false)));
  });

  test('is not in the twin', () => {
    expect(played(script, stageOf(bug, true))).toBe('clean');
  });
});

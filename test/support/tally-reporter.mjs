// A vitest reporter that writes how many tests passed, failed and were skipped (with the reason) for test/run.mjs.

import { writeFileSync } from 'node:fs';

const noTests = { passed: 0, failed: 0, skipped: [] };

const tallyModule = (module) => {
  const tally = { ...noTests, skipped: [] };
  for (const test of module.children.allTests()) {
    const { state, note } = test.result();
    if (state === 'passed') tally.passed += 1;
    else if (state === 'skipped')
      tally.skipped.push({ name: test.fullName, reason: note ?? 'marked as skipped' });
    else tally.failed += 1;
  }
  // A file that cannot be loaded, or a hook that throws, fails without a failing test.
  const broken = module.errors().length + suiteErrors(module);
  return { ...tally, failed: tally.failed + (tally.failed === 0 && broken > 0 ? 1 : 0) };
};

const suiteErrors = (module) =>
  [...module.children.allSuites()].reduce((sum, suite) => sum + suite.errors().length, 0);

/** Writes `{passed, failed, skipped: [{name, reason}]}` to the file named by RELIGHT_TALLY; does nothing without it. */
export default class TallyReporter {
  onTestRunEnd(modules, unhandled) {
    const file = process.env.RELIGHT_TALLY;
    if (file === undefined) return;
    const tally = { ...noTests, skipped: [], failed: unhandled.length };
    for (const module of modules) {
      const { passed, failed, skipped } = tallyModule(module);
      tally.passed += passed;
      tally.failed += failed;
      tally.skipped.push(...skipped);
    }
    writeFileSync(file, JSON.stringify(tally));
  }
}

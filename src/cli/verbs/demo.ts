/** What `npm start` runs: one of our own servers, recorded, what the recording shows, and two scorecards. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandText } from '../../report/plain.js';
import { converse } from '../demo/conversation.js';
import { offerOfKernel } from '../doctor/kernel.js';
import { ExitStatus } from '../exit-status.js';
import { mainFile } from '../main-file.js';
import { print } from '../output.js';
import { paintFor } from '../terminal.js';
import { defineVerb, type Verb } from '../verb.js';
import { verb as auditVerb } from './audit.js';
import { verb as recordVerb } from './record.js';
import { verb as showVerb } from './show.js';
import { verb as statsVerb } from './stats.js';

const WORKLOAD = [
  'cd "$RELIGHT_MOUNT" && ls -l && mkdir notes && echo hello from relight > notes/today',
  'mv notes/today notes/yesterday && cat notes/yesterday notes/tomorrow; rm -r notes',
].join(' && ');

const paint = paintFor(process.stdout);

const say = (text: string): void => print('', paint.bold(text));

const memfs = (mountPoint: string, ids = 'address'): string[] => [
  'specimen',
  'memfs',
  '--ids',
  ids,
  mountPoint,
];

const call = async (verb: Verb, name: string, args: readonly string[]): Promise<void> => {
  print(paint.dim(`$ relight ${commandText([name, ...args])}`));
  await verb.run(args);
};

const recordMounted = async (trace: string): Promise<void> => {
  say('Recording it at work: it is mounted, and a few shell commands use it.');
  const server = memfs('{mnt}');
  print(
    paint.dim(
      `$ relight ${commandText(['record', '-o', trace, '-w', WORKLOAD, '--', 'relight', ...server])}`,
    ),
  );
  await recordVerb.run(['-o', trace, '-w', WORKLOAD, '--', process.execPath, mainFile, ...server]);
};

const recordScripted = async (trace: string, why: string): Promise<void> => {
  say('Recording it at work.');
  print(`Nothing can be mounted here (${why}); so relight itself plays the kernel, over a socket.`);
  await converse(trace, [process.execPath, mainFile, ...memfs('/dev/fd/{fd}')]);
};

/** Short, since the next words on the screen are about it: every strategy once, and a few cases. */
const AUDIT_SECONDS = '20';

/** The scorecard of one of our servers. */
const scorecard = async (ids: string): Promise<void> => {
  const args = ['-o', ids, '--seconds', AUDIT_SECONDS];
  const shown = ['--', 'relight', ...memfs('{mnt}', ids)];
  print(paint.dim(`$ relight ${commandText(['audit', ...args, ...shown])}`));
  await auditVerb.run([...args, '--', process.execPath, mainFile, ...memfs('{mnt}', ids)]);
};

const run = async (): Promise<ExitStatus> => {
  const folder = mkdtempSync(join(tmpdir(), 'relight-demo-'));
  const [back, trace] = [process.cwd(), 'demo.rlt'];
  process.chdir(folder);
  try {
    print('The server is memfs, one of ours: files in memory, and nodeids that are addresses.');
    const offer = offerOfKernel();
    if (typeof offer === 'string') await recordScripted(trace, offer);
    else await recordMounted(trace);
    say('What crossed the device:');
    await call(showVerb, 'show', [trace, '-f', 'op!=INIT && op!=GETXATTR', '-n', '16']);
    say('What that says about the server:');
    await call(statsVerb, 'stats', [trace]);
    say('What happens when it is restarted: its ids are addresses in the memory of a process that is gone.');
    await scorecard('address');
    say('The same with ids that no other incarnation uses: memfs --ids random answers ESTALE to old ones.');
    await scorecard('random');
    say('Now with a server of yours:');
    print(
      '  relight doctor',
      '  relight record -o t.rlt -- SERVER…',
      '  relight show t.rlt',
      '  relight stats t.rlt',
      '  relight replay t.rlt --restart-at end -- SERVER…',
      '  relight audit -o out -- SERVER…',
    );
    print('', 'Here, relight is node dist/cli/main.js; npm link puts it on the PATH.');
  } finally {
    process.chdir(back);
    rmSync(folder, { recursive: true, force: true });
  }
  return ExitStatus.ok;
};

/** The verb. */
export const verb = defineVerb({
  name: 'demo',
  about: 'Records one of our own servers, shows the recording, and grades two of them.',
  operands: [],
  command: 'none',
  options: {},
  examples: [['demo', 'as npm start does']],
  run,
});

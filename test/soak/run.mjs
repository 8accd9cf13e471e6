// npm run soak -- [MINUTES]: a long recording of our own server under steady work. Prints relight's memory once in ten
// seconds; it has to stay flat after the first minute, and the trace has to be whole at the end. Ends with status 1 if not.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const minutes = Number(process.argv[2] ?? 10);
const folder = mkdtempSync(join(tmpdir(), 'relight-soak-'));
const trace = join(folder, 'soak.rlt');
/** Growth in MB after the first minute that is still noise of the collector. */
const allowedGrowthMb = 20;

const workload = `end=$(($(date +%s) + ${Math.round(minutes * 60)})); cd $RELIGHT_MOUNT
while [ $(date +%s) -lt $end ]; do mkdir d && cp hello.txt d/a && cat d/a big.bin > /dev/null && ls -laR > /dev/null && rm -r d; done`;
const child = spawn(
  process.execPath,
  [
    main,
    'record',
    '--json',
    '-o',
    trace,
    '--rotate',
    '256M',
    '-w',
    workload,
    '--',
    process.execPath,
    main,
    'specimen',
    'memfs',
    '{mnt}',
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
let document = '';
child.stdout.on('data', (chunk) => {
  document += chunk;
});

const residentMb = () => {
  const [, kib = '0'] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kib) / 1024);
};

const samples = [];
const started = Date.now();
const timer = setInterval(() => {
  const seconds = Math.round((Date.now() - started) / 1000);
  samples.push({ seconds, mb: residentMb() });
  console.log(`${String(seconds).padStart(6)} s  ${samples.at(-1).mb} MB`);
}, 10_000);

child.on('exit', (status) => {
  clearInterval(timer);
  const { frames, dropped, failure } = JSON.parse(document || '{}');
  const steady = samples.filter(({ seconds }) => seconds >= 60).map(({ mb }) => mb);
  const growth = steady.length < 2 ? 0 : steady.at(-1) - steady[0];
  const shown = spawnSync(process.execPath, [main, 'stats', '--json', trace], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  rmSync(folder, { recursive: true, force: true });
  console.log(`${frames} frames, ${dropped} dropped, memory grew ${growth} MB after the first minute`);
  const good =
    status === 0 && dropped === 0 && failure === null && growth <= allowedGrowthMb && shown.status === 0;
  process.exit(good ? 0 : 1);
});
process.on('SIGINT', () => child.kill('SIGINT'));

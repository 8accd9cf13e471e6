/** The demo where nothing can be mounted: a scripted conversation with the server over a socket, recorded like a real one. */

import { nowNs } from '../../base/clock.js';
import { InitFlag } from '../../protocol/flags.js';
import { NEWEST_MINOR } from '../../protocol/negotiated.js';
import { traceContext } from '../../trace/surroundings.js';
import { createTrace, type TraceWriter } from '../../trace/writer.js';
import { Launcher } from '../../transport/launch.js';
import { mapsOf } from '../../transport/proc.js';
import type { RunningServer } from '../../transport/running-server.js';
import { Talk } from './talk.js';

const ROOT = 1n;
const PAGE = 4096;
const O_RDWR = 2;
const EXIT_MS = 2000;

const begin = (talk: Talk): void => {
  const flags = InitFlag.ASYNC_READ | InitFlag.BIG_WRITES | InitFlag.DO_READDIRPLUS | InitFlag.MAX_PAGES;
  talk.ask('INIT', 0n, { major: 7, minor: NEWEST_MINOR, maxReadahead: 128 << 10, flags: Number(flags) });
};

const listRoot = (talk: Talk): void => {
  const opened = talk.ask('OPENDIR', ROOT, {});
  if (!opened.ok || opened.name !== 'OPENDIR') return;
  const { fh } = opened.fields;
  const listed = talk.ask('READDIR', ROOT, { fh, size: PAGE });
  if (listed.ok && listed.name === 'READDIR')
    for (const { name } of listed.fields.entries)
      if (name !== '.' && name !== '..') talk.ask('LOOKUP', ROOT, { name });
  talk.ask('RELEASEDIR', ROOT, { fh });
};

const writeAndRead = (talk: Talk): void => {
  const made = talk.ask('CREATE', ROOT, { name: 'hello', mode: 0o100644, flags: O_RDWR });
  if (!made.ok || made.name !== 'CREATE') return;
  const { nodeid, fh } = made.fields;
  const data = Buffer.from('hello from relight\n');
  talk.ask('WRITE', nodeid, { fh, size: data.length, data });
  talk.ask('READ', nodeid, { fh, size: PAGE });
  talk.ask('FLUSH', nodeid, { fh });
  talk.ask('RELEASE', nodeid, { fh });
  talk.ask('RENAME', ROOT, { newdir: ROOT, oldname: 'hello', newname: 'goodbye' });
  talk.ask('LOOKUP', ROOT, { name: 'hello' });
  talk.ask('UNLINK', ROOT, { name: 'goodbye' });
  talk.tell('FORGET', nodeid, { nlookup: 1n });
};

const record = (server: RunningServer, trace: TraceWriter): void => {
  const { pid, channel } = server;
  trace.startIncarnation({ incarnation: 0, timeNs: nowNs(), pid, aslr: 'on' });
  const talk = new Talk(channel.ours, channel.maxMessage, trace);
  try {
    begin(talk);
    listRoot(talk);
    writeAndRead(talk);
    trace.maps({ incarnation: 0, timeNs: nowNs(), ranges: mapsOf(pid) });
  } finally {
    talk.close();
  }
};

/** Talks to the server that the command starts (it takes its channel as `{fd}`), and writes the trace. Throws RelightError. */
export const converse = async (path: string, command: readonly string[]): Promise<void> => {
  const launcher = await Launcher.open({ command, mode: 'pretend' });
  const trace = createTrace(path, {
    context: traceContext({ argv: launcher.argv, payload: { kind: 'full' }, filter: '' }),
  });
  try {
    const server = await launcher.launch();
    try {
      record(server, trace);
    } finally {
      await server.waitForExit(EXIT_MS);
      const { code, signal } = await server.end({ graceMs: 0 });
      trace.endIncarnation({
        ...{ incarnation: 0, timeNs: nowNs(), stderr: server.stderr.lines() },
        ...(code === undefined || signal !== undefined ? {} : { exitCode: code }),
      });
    }
  } finally {
    trace.close();
    await launcher.close();
  }
};

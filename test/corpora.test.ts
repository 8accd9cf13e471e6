import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bindRequest } from '#relight/plan/bind.js';
import { Bindings } from '#relight/plan/bindings.js';
import { lift } from '#relight/plan/lift.js';
import { uniqueOf } from '#relight/protocol/header.js';
import { statsOf } from '#relight/report/stats.js';
import { openTrace } from '#relight/trace/reader.js';
import { completenessOf } from './support/completeness.js';
import { root } from './support/root.js';

interface Row {
  readonly file: string;
  readonly server: string;
  readonly frames: number;
  readonly requests: number;
  readonly replies: number;
}

const folder = join(root, 'corpora');
const { traces }: { traces: readonly Row[] } = JSON.parse(
  readFileSync(join(folder, 'manifest.json'), 'utf8'),
);

/** What these servers are known to use as nodeids. */
const nodeidKinds: Readonly<Record<string, string>> = {
  bindfs: 'counter',
  passthrough_ll: 'pointer',
  fuse2fs: 'counter',
  gocryptfs: 'counter',
  // Its library copies the counter to st_ino.
  squashfuse: 'counter',
  squashfuse_ll: 'inode',
};

describe.each(traces)('the trace of $server', ({ file, server, frames, requests, replies }) => {
  const path = join(folder, file);

  test('holds whole conversations, understood to the last byte', () => {
    expect(completenessOf(path)).toMatchObject({ requests, replies, problems: [] });
  });

  test('becomes a plan that says the same again', () => {
    const trace = openTrace(path);
    try {
      const plan = lift(trace);
      // All but INIT.
      expect(plan.steps.length).toBe(requests - 1);
      expect(plan.unbound).toBe(0);
      const bindings = Bindings.of(plan);
      for (const step of plan.steps) {
        const into = new Uint8Array(step.template.length);
        bindRequest(step, bindings, uniqueOf(step.template), into);
        expect(into).toEqual(step.template);
      }
    } finally {
      trace.close();
    }
  });

  test('tells what kind of numbers the server uses', () => {
    const trace = openTrace(path);
    try {
      const stats = statsOf(trace);
      expect(stats.frames).toBe(frames);
      const expected = nodeidKinds[server];
      if (expected !== undefined) expect(stats.ids.nodeids.kind).toBe(expected);
    } finally {
      trace.close();
    }
  });
});

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { RelightError } from '#relight/base/error.js';
import { bindRequest } from '#relight/plan/bind.js';
import { Bindings } from '#relight/plan/bindings.js';
import { learn } from '#relight/plan/learn.js';
import { lift } from '#relight/plan/lift.js';
import type { Plan } from '#relight/plan/plan.js';
import { readPlan } from '#relight/plan/text/read.js';
import { writePlan } from '#relight/plan/text/write.js';
import { uniqueOf } from '#relight/protocol/header.js';
import { context, reading, written } from '../trace/support.js';
import { Conversation } from './conversation.js';

const corpora = fileURLToPath(new URL('../../corpora', import.meta.url));
const files = existsSync(corpora) ? readdirSync(corpora, { recursive: true, encoding: 'utf8' }) : [];
const traces = files.filter((name) => name.endsWith('.rlt'));

/** A trace of WRITEs of 5000 bytes, each of another byte, in blocks of few frames. */
const writes = (count: number): string => {
  const talk = new Conversation();
  for (let index = 0; index < count; index++)
    talk.exchange('WRITE', 1n, { fh: 1n, data: new Uint8Array(5000).fill(index) }, { size: 5000 });
  return written(
    (writer) => {
      for (const { direction, timeNs, bytes } of talk.frames) writer.append(direction, timeNs, bytes);
    },
    { context, blockBytes: 16 << 10 },
  );
};

describe('large contents', () => {
  test('beyond the memory allowed are read from the trace again', () => {
    reading(writes(100), (trace) => {
      expect(trace.blocks.length).toBeGreaterThan(10);
      const all = lift(trace);
      const few = lift(trace, { memoryBytes: 50_000 });
      for (const index of [0, 99, 50, 51, 3]) {
        const { template = new Uint8Array(0) } = few.steps.at(index) ?? {};
        expect(Buffer.compare(template, all.steps.at(index)?.template ?? new Uint8Array(0))).toBe(0);
        expect(template.at(-1)).toBe(index);
      }
    });
  });

  test('that are gone are an error', () => {
    const plan = reading(writes(30), (trace) => {
      const { header, blocks } = trace;
      return lift({ frames: () => trace.frames(), header, blocks, framesOf: () => [] }, { memoryBytes: 0 });
    });
    expect(plan.steps.at(0)?.template.length).toBe(5080);
    expect(() => plan.steps.at(20)?.template).toThrow(RelightError);
  });
});

const bindsBack = (plan: Plan): void => {
  const bindings = Bindings.of(plan);
  const into = new Uint8Array(1 << 21);
  for (const step of plan.steps) {
    const length = bindRequest(step, bindings, uniqueOf(step.template), into);
    expect(Buffer.compare(into.subarray(0, length), step.template)).toBe(0);
    if (step.reply !== undefined) expect(learn(step, step.reply, bindings, plan.negotiated)).toBeUndefined();
  }
};

describe('traces of real servers', () => {
  test('in the corpus bind back and have a text', () => {
    expect(traces.length).toBeGreaterThan(0);
    for (const name of traces) {
      reading(join(corpora, name), (trace) => {
        const plan = lift(trace);
        bindsBack(plan);
        const lines = [...writePlan(plan)];
        expect([...writePlan(readPlan(lines, { name }))]).toEqual(lines);
      });
    }
  });
});

import { describe, expect, it } from 'vitest';
import { judge } from '#relight/oracle/judge.js';
import type { Outcome, Probe } from '#relight/oracle/probe.js';
import type { Judgement } from '#relight/oracle/verdict.js';
import { attrReply } from './messages.js';
import { attributesOf, attrOf, getattrOf, knownWorld, type Name, objects, sceneOf, told } from './world.js';

const judged = (asked: Probe, outcome: Outcome, known = knownWorld()): Judgement =>
  judge(asked, outcome, sceneOf(known));
const evidence = ({ evidence }: Judgement): string => evidence.join('\n');

describe('attributes by a stale nodeid', () => {
  const cases: readonly [string, Name, Name, Judgement['verdict'], RegExp][] = [
    ['of the same file', 'a', 'a', 'recovered', /as \/a: .*size 5.*mtime/],
    ['of another file', 'a', 'b', 'wrong-object', /unlike \/a: .*size 16, not 5[\s\S]*as \/b: .*size 16/],
    ['of a directory', 'a', 'd', 'wrong-object', /type 040000, not 0100000[\s\S]*as \/d:/],
    ['of an empty file', 'empty', 'empty', 'recovered', /mtime/],
  ];

  it.each(cases)('%s', (_, asked, given, verdict, why) => {
    const request = getattrOf(asked);
    const judgement = judged(request, attributesOf(request, given));
    expect(judgement).toMatchObject({ verdict, op: 'GETATTR', idKind: 'node', symbol: objects[asked] });
    expect(evidence(judgement)).toMatch(why);
    expect(evidence(judgement)).toMatch(
      /^sent GETATTR #4 node \d+ .*\nstale node \d+ was \/\w+ in incarnation 0\ngot /,
    );
  });

  it('of a file that nobody knows', () => {
    const request = getattrOf('a');
    const stranger = { ...attrOf('a'), ino: 999n, size: 77n, mtime: 5n, ctime: 5n };
    expect(judged(request, told(request, 'GETATTR', attrReply(stranger)))).toMatchObject({
      verdict: 'wrong-object',
    });
  });

  it('that fit another file just as well say nothing', () => {
    const request = getattrOf('twin1');
    const outcome = told(request, 'GETATTR', attrReply(attrOf('twin1', { ino: 5n })));
    expect(judged(request, outcome)).toMatchObject({ verdict: 'unknown' });
  });

  it('that differ only in a time say nothing', () => {
    const request = getattrOf('a');
    const outcome = attributesOf(request, 'a', { mtime: 5n });
    expect(judged(request, outcome)).toMatchObject({ verdict: 'unknown' });
  });
});

import { describe, expect, test } from 'vitest';
import type { IdKind } from '#relight/oracle/id-kind.js';
import type { IdReport } from '#relight/oracle/id-observer.js';
import { isUnsafe, verdictNames } from '#relight/oracle/verdict.js';
import { adviceOn } from '#relight/report/advice.js';

const of = (kind: IdKind, count = 3) => ({ kind, count, pointers: 0, evidence: [] });

const ids = (nodes: IdKind, files: IdKind, directories: IdKind = files): IdReport => ({
  nodeids: of(nodes),
  handles: of(files),
  files: of(files),
  directories: of(directories),
});

const stale = { op: 'GETATTR', idKind: 'node', isHostile: false } as const;

describe('advice', () => {
  test('goes by the kind of the id', () => {
    expect(adviceOn({ ...stale, verdict: 'crash' }, ids('pointer', 'fd'))).toContain(
      'keep a table from nodeid',
    );
    expect(adviceOn({ ...stale, verdict: 'wrong-object' }, ids('counter', 'fd'))).toContain('Begin to count');
  });

  test('tells handles of files from those of directories', () => {
    const about = { verdict: 'crash', idKind: 'handle', isHostile: false } as const;
    expect(adviceOn({ ...about, op: 'READ' }, ids('counter', 'fd', 'pointer'))).toContain('descriptors');
    expect(adviceOn({ ...about, op: 'READDIR' }, ids('counter', 'fd', 'pointer'))).toContain(
      'for an address',
    );
  });

  test('is about lengths where no correct kernel sends such a thing', () =>
    expect(adviceOn({ ...stale, verdict: 'crash', isHostile: true }, ids('pointer', 'fd'))).toContain(
      'header.len',
    ));

  test('there is some for every unsafe verdict and kind of id', () => {
    for (const verdict of verdictNames.filter(isUnsafe))
      for (const idKind of ['node', 'handle', 'node+handle', 'none'])
        expect(adviceOn({ ...stale, verdict, idKind }, ids('index', 'opaque')).length).toBeGreaterThan(40);
  });
});

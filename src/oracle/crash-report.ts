/** What a dying server says on standard error, by the habits of sanitizers, runtimes and libraries. Knows no exit status. */

/** The first report found. */
export interface CrashReport {
  /** `crash`: memory was misused; `abort`: the server noticed something and ended itself. */
  readonly verdict: 'crash' | 'abort';
  /** Who reports, such as `asan`, `valgrind`, `go`, `libfuse`, `assert`. */
  readonly by: string;
  /** What it says, one line, as it was written. */
  readonly text: string;
  /** Function that was running, as far as the report tells. */
  readonly frame: string | undefined;
}

interface Habit {
  readonly by: string;
  readonly verdict: CrashReport['verdict'];
  /** Its first group is the text; the whole match when there is none. */
  readonly says: RegExp;
  /** Lines behind it that name functions, innermost first: the first group is the name. */
  readonly frames?: RegExp;
  /** Names that belong to the reporter. */
  readonly not?: RegExp;
  /** The line behind belongs to the text. */
  readonly withNext?: true;
}

const sanitizerFrame = /#\d+ 0x[0-9a-f]+ (?:in )?([\w:~.<>$]+)/;
const sanitizerOwn =
  /^(__asan|__interceptor|__sanitizer|__ubsan|___?interceptor|mem(cpy|set|move|cmp)|str\w+)/;
const goFrame = /^([\w./()*{}-]+)\(.*\)$/;
const goOwn = /^(panic|runtime\.|goroutine|created by|log\.|testing\.)/;

/** In the order of how much they tell: a sanitizer's report comes before the abort that follows it. */
const habits: readonly Habit[] = [
  {
    by: 'asan',
    verdict: 'crash',
    says: /ERROR: AddressSanitizer: ([\w-]+(?: on unknown address)?)/,
    frames: sanitizerFrame,
    not: sanitizerOwn,
  },
  {
    by: 'msan',
    verdict: 'crash',
    says: /MemorySanitizer: ([\w-]+)/,
    frames: sanitizerFrame,
    not: sanitizerOwn,
  },
  {
    by: 'tsan',
    verdict: 'crash',
    says: /ThreadSanitizer: ([\w -]+?)(?: \(pid=\d+\))?$/,
    frames: sanitizerFrame,
    not: sanitizerOwn,
  },
  { by: 'ubsan', verdict: 'crash', says: /^(\S+:\d+:\d+: runtime error: .*)$/ },
  {
    by: 'valgrind',
    verdict: 'crash',
    says: /^==\d+== (Invalid (?:read|write|free).*|Use of uninitialised value.*|Conditional jump .*|Jump to the invalid address .*|Mismatched free.*|Source and destination overlap .*|Syscall param .*)$/,
    frames: /^==\d+==\s+(?:at|by) 0x[0-9A-F]+: (\S+)/,
    not: /^(mem(cpy|set|move|cmp)|str\w+|\?\?\?)/,
  },
  {
    by: 'go',
    verdict: 'crash',
    says: /(\[signal SIG(?:SEGV|BUS|ILL|FPE)[^\]]*\])/,
    frames: goFrame,
    not: goOwn,
  },
  { by: 'go', verdict: 'crash', says: /^fatal error: (unexpected signal.*)$/, frames: goFrame, not: goOwn },
  { by: 'libfuse', verdict: 'abort', says: /(fuse internal error: .*)$/ },
  { by: 'go', verdict: 'abort', says: /^(?:panic|fatal error): (.*)$/, frames: goFrame, not: goOwn },
  { by: 'rust', verdict: 'abort', says: /^thread .* panicked at (.*)$/, withNext: true },
  { by: 'assert', verdict: 'abort', says: /([^\s:]+:\d+: .*Assertion [`'].*' failed.*)$/ },
  { by: 'assert', verdict: 'abort', says: /(Assertion failed: .*)$/ },
  { by: 'c++', verdict: 'abort', says: /(terminate called .*)$/, withNext: true },
  {
    by: 'glibc',
    verdict: 'abort',
    says: /((?:free|malloc|realloc|munmap_chunk|malloc_consolidate|unlink_chunk|_int_malloc)\(\): .*|double free or corruption.*|corrupted (?:size|double).*|\*\*\* (?:stack smashing|buffer overflow) detected \*\*\*.*)$/,
  },
  { by: 'python', verdict: 'abort', says: /^(\w+(?:\.\w+)*(?:Error|Exception)(?:: .*)?)$/ },
];

const frameIn = (lines: readonly string[], { frames, not }: Habit): string | undefined => {
  if (frames === undefined) return undefined;
  for (const line of lines) {
    const name = frames.exec(line.trimStart() === line ? line : line.trim())?.[1];
    if (name !== undefined && not?.test(name) !== true) return name;
  }
  return undefined;
};

const reportAt = (lines: readonly string[], at: number, habit: Habit): CrashReport | undefined => {
  const found = habit.says.exec(lines[at] ?? '');
  if (found === null) return undefined;
  const next = habit.withNext === true ? (lines[at + 1]?.trim() ?? '') : '';
  const text = [found[1] ?? found[0], next].filter((part) => part !== '').join(' ');
  return { by: habit.by, verdict: habit.verdict, text, frame: frameIn(lines.slice(at + 1), habit) };
};

/** Finds what a server reported about its own end (or, for valgrind and sanitizers, about its health); lines oldest first. */
export const crashReport = (stderr: readonly string[]): CrashReport | undefined => {
  for (const habit of habits) {
    for (let at = 0; at < stderr.length; at++) {
      const report = reportAt(stderr, at, habit);
      if (report !== undefined) return report;
    }
  }
  return undefined;
};

/** A report without what changes from run to run (numbers, addresses), so that two of one kind are equal. */
export const stableText = (text: string): string =>
  text
    .replace(/0x[0-9a-f]+/gi, '0x…')
    .replace(/(?<![\w:.])\d+(?![\w.])/g, 'N')
    .replace(/\s+/g, ' ')
    .trim();

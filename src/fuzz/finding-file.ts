/** Findings as files: one self-contained message of `proto/finding.proto` each. Reading runs nothing. */

import { randomUUID } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { RelightError } from '../base/error.js';
import { type Verdict, verdictNames } from '../oracle/verdict.js';
import { readPlan } from '../plan/text/read.js';
import { writePlan } from '../plan/text/write.js';
import { relookups } from '../replay/inspector.js';
import { whileDownChanges } from '../replay/while-down.js';
import { fileError } from '../trace/sink.js';
import { countFromLong, countToLong, fromLong, toBytes, toLong, toText } from '../trace/wire-values.js';
import type { Environment } from './environment.js';
import type { Finding, ServerCommand } from './finding.js';
import { relight } from './generated/schema.js';

const schema = relight.finding;
type Message = relight.finding.Finding.$Properties;

const MAGIC = Uint8Array.of(0x89, 0x52, 0x4c, 0x46, 0x0d, 0x0a, 0x1a, 0x0a);
const FORMAT_VERSION = 1;
/** A finding is minimal: a file larger than this is none. */
const MAX_BYTES = 64 << 20;
/** It shows names and contents of its owner's files. */
const PRIVATE = 0o600;

/** What files of findings end in. */
export const FINDING_SUFFIX = '.rlf';

const isFinding = (bytes: Uint8Array): boolean => MAGIC.every((byte, at) => bytes[at] === byte);

/** Whether a file begins as a finding; false for one that cannot be read. */
export const isFindingFile = (path: string): boolean => {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return false;
  }
  try {
    const head = new Uint8Array(MAGIC.length);
    return fstatSync(fd).isFile() && readSync(fd, head) === head.length && isFinding(head);
  } finally {
    closeSync(fd);
  }
};

const encodeEnvironment = (environment: Environment): NonNullable<Message['environment']> => {
  const { aslr, mallocPerturb, relookup, whileDown, minor, withoutFlags } = environment;
  return {
    aslrOff: aslr === 'off',
    ...(mallocPerturb === undefined ? {} : { mallocPerturb }),
    relookup,
    whileDown: whileDown ?? '',
    ...(minor === undefined ? {} : { minor }),
    withoutFlags: toLong(withoutFlags),
  };
};

const encodeCommand = ({ argv, cwd, env }: ServerCommand): NonNullable<Message['command']> => ({
  argv: argv.map(toBytes),
  ...(cwd === undefined ? {} : { cwd: toBytes(cwd) }),
  env: Object.entries(env).map(([name, value]) => ({ name: toBytes(name), value: toBytes(value) })),
});

/** The bytes of a finding's file. */
export const encodeFinding = (finding: Finding): Uint8Array => {
  const { id, signature, verdict, op, idKind, mutator, relation, evidence } = finding;
  const body = schema.Finding.encode({
    formatVersion: FORMAT_VERSION,
    ...{ id, signature, verdict, op, idKind, mutator, relation, evidence: [...evidence] },
    plan: `${[...writePlan(finding.plan)].join('\n')}\n`,
    environment: encodeEnvironment(finding.environment),
    command: encodeCommand(finding.command),
    snapshot: finding.snapshot.map(toBytes),
    seed: countToLong(finding.seed),
    reliability: finding.reliability,
    versions: finding.versions,
    hostile: finding.isHostile,
  }).finish();
  return Buffer.concat([MAGIC, body]);
};

const broken = (name: string, why: string, cause?: unknown): RelightError =>
  new RelightError('usage', `${name} is no finding that can be read: ${why}`, {
    remedy: 'findings are written by relight fuzz, audit and minimise',
    cause,
  });

const messageIn = (bytes: Uint8Array, name: string): Message => {
  if (!isFinding(bytes)) throw broken(name, 'it does not begin as one');
  let message: Message;
  try {
    message = schema.Finding.decode(bytes.subarray(MAGIC.length));
  } catch (cause) {
    throw broken(name, 'it is damaged', cause);
  }
  const version = message.formatVersion ?? 0;
  if (version <= FORMAT_VERSION && version > 0) return message;
  throw broken(name, `its format is ${version}, this relight reads up to ${FORMAT_VERSION}`);
};

/** The one of some words that a text is. */
const wordIn = <W extends string>(words: readonly W[], text: string, what: string, name: string): W => {
  const found = words.find((word) => word === text);
  if (found === undefined) throw broken(name, `${JSON.stringify(text)} is no ${what}`);
  return found;
};

const environmentIn = ({ environment }: Message, name: string): Environment => {
  const { aslrOff, mallocPerturb, relookup = '', whileDown = '', minor, withoutFlags } = environment ?? {};
  return {
    aslr: aslrOff === true ? 'off' : 'on',
    mallocPerturb: mallocPerturb ?? undefined,
    relookup: wordIn(relookups, relookup ?? '', 'relookup', name),
    whileDown:
      whileDown === '' ? undefined : wordIn(whileDownChanges, whileDown ?? '', 'change of the store', name),
    minor: minor ?? undefined,
    withoutFlags: fromLong(withoutFlags),
  };
};

const commandIn = ({ command }: Message): ServerCommand => ({
  argv: (command?.argv ?? []).map(toText),
  cwd: command?.cwd == null ? undefined : toText(command.cwd),
  env: Object.fromEntries((command?.env ?? []).map(({ name, value }) => [toText(name), toText(value)])),
});

const verdictIn = ({ verdict }: Message, name: string): Verdict =>
  wordIn(verdictNames, verdict ?? '', 'verdict', name);

/** The finding in a file's bytes; `name` is for errors. Throws a RelightError for anything else. */
export const decodeFinding = (bytes: Uint8Array, name: string): Finding => {
  const message = messageIn(bytes, name);
  const plan = readPlan((message.plan ?? '').split('\n'), { name });
  if (plan.steps.length === 0) throw broken(name, 'its plan has no step');
  return {
    id: message.id ?? '',
    signature: message.signature ?? '',
    verdict: verdictIn(message, name),
    op: message.op ?? '',
    idKind: message.idKind ?? '',
    mutator: message.mutator ?? '',
    relation: message.relation ?? '',
    isHostile: message.hostile ?? false,
    evidence: message.evidence ?? [],
    plan,
    environment: environmentIn(message, name),
    command: commandIn(message),
    snapshot: (message.snapshot ?? []).map(toText),
    seed: countFromLong(message.seed),
    reliability: { k: message.reliability?.k ?? 0, n: message.reliability?.n ?? 0 },
    versions: {
      relight: message.versions?.relight ?? '',
      kernel: message.versions?.kernel ?? '',
      arch: message.versions?.arch ?? '',
    },
  };
};

/** Writes a finding whole or not at all. Throws a RelightError when the file cannot be written. */
export const writeFinding = (path: string, finding: Finding): void => {
  const draft = `${path}.${randomUUID()}.tmp`;
  try {
    writeFileSync(draft, encodeFinding(finding), { mode: PRIVATE });
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw fileError('write', path, error);
  }
};

/** Reads a finding's file. Throws a RelightError when it is none. */
export const readFinding = (path: string): Finding => {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw fileError('read', path, error);
  }
  const name = basename(path);
  if (bytes.length > MAX_BYTES) throw broken(name, `it is larger than ${MAX_BYTES >> 20} MiB`);
  return decodeFinding(bytes, name);
};

/** Path of a finding's file in a folder. */
export const findingPath = (folder: string, { id }: Pick<Finding, 'id'>): string =>
  join(folder, `${id}${FINDING_SUFFIX}`);
